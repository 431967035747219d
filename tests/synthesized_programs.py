"""The programs of this repository, main.py and the examples, each synthesized once in a run of the tests."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("main.py", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/*/main.py")))
# Folder that all processes of a run share; conftest.py and run_tiers.py make it.
SHARED = "MLOPS_TESTS_SYNTHESIZED"


def stack_of(program: str = "main.py") -> Path:
    """Give the folder of the only stack of a program, which another process may have synthesized."""
    path, shared = ROOT / program, Path(os.environ[SHARED])
    output = shared / (path.parent.name if path.parent != ROOT else "main")
    with (shared / f"{output.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (output / "manifest.json").exists():
            environment = {**os.environ, "CDKTF_OUTDIR": str(output)}
            subprocess.run([sys.executable, path.name], cwd=path.parent, env=environment, check=True)
    (folder,) = (output / "stacks").iterdir()
    return folder
