"""Stacks to look at: real ones, synthesized once, and small ones written by hand."""

from __future__ import annotations

import json
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

from synthesized_programs import stack_of

from mlops_constructs.preflight import SynthesizedStack
from mlops_constructs.preflight.stack import Identity

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = Identity("123456789012", "aws", "us-east-1")


@cache
def real(program: str = "main.py") -> SynthesizedStack:
    """The only stack of a program of this repository."""
    return SynthesizedStack(stack_of(program))


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
