"""The programs whose policies are mutated: main.py and the examples."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from iam_mutation.programs import read_program

if TYPE_CHECKING:
    from iam_mutation.programs import Program

_ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = ("main", *sorted(path.parent.name for path in (_ROOT / "examples").glob("*/main.py")))
"""``main`` is main.py of the repository; the others are folders of examples/."""


def synthesized(name: str) -> Program:
    """Synthesize a program, and read the policies of its only stack."""
    folder = _ROOT if name == "main" else _ROOT / "examples" / name
    with tempfile.TemporaryDirectory(prefix="mutate-") as output:
        environment = {**os.environ, "CDKTF_OUTDIR": output}
        subprocess.run([sys.executable, "main.py"], cwd=folder, env=environment, check=True, capture_output=True)
        (stack,) = (Path(output) / "stacks").iterdir()
        return read_program(stack)
