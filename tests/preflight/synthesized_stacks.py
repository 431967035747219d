"""Stacks to look at: real ones, synthesized once, and small ones written by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from mlops_constructs.preflight import SynthesizedStack
from mlops_constructs.preflight.stack import Identity

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("main.py", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/*/main.py")))
IDENTITY = Identity("123456789012", "aws", "us-east-1")


@cache
def real(program: str = "main.py") -> SynthesizedStack:
    """The only stack of a program of this repository."""
    output = Path(mkdtemp(prefix="preflight-"))
    path = ROOT / program
    environment = {**os.environ, "CDKTF_OUTDIR": str(output)}
    subprocess.run([sys.executable, path.name], cwd=path.parent, env=environment, check=True, capture_output=True)
    (folder,) = (output / "stacks").iterdir()
    return SynthesizedStack(folder)


def written(folder: Path, resources: dict[str, dict[str, Any]], **document: Any) -> SynthesizedStack:
    """A stack of these resources: by type, then by id."""
    for type_, made in resources.items():
        for id_, arguments in made.items():
            arguments.setdefault("//", {"metadata": {"path": f"stack/p/{type_}/{id_}"}})
    text = json.dumps({"resource": resources, **document})
    (folder / "cdk.tf.json").write_text(text)
    return SynthesizedStack(folder)


def archive(folder: Path, name: str, files: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an object that uploads a zip of JSON documents."""
    with zipfile.ZipFile(folder / name, "w") as archive_:
        for path, document in files.items():
            archive_.writestr(path, json.dumps(document))
    return {"source": name, "key": name, "bucket": "b"}
