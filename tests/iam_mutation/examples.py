"""The programs whose policies are mutated: main.py and the examples."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from iam_mutation.programs import read_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iam_mutation.programs import Program

_ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = ("main", *sorted(path.parent.name for path in (_ROOT / "examples").glob("*/main.py")))
"""``main`` is main.py of the repository; the others are folders of examples/."""


def synthesized(names: Sequence[str]) -> dict[str, Program]:
    """Synthesize programs, all in one process, and read the policies of the only stack of each."""
    with tempfile.TemporaryDirectory(prefix="mutate-") as output:
        environment = {**os.environ, "CDKTF_OUTDIR": output}
        arguments = [sys.executable, "-m", "iam_mutation.examples", output, *names]
        subprocess.run(arguments, env=environment, cwd=_ROOT / "tests", check=True, capture_output=True)
        return {name: read_program(Path(output) / name) for name in names}


def _synthesize(output: Path, names: Sequence[str]) -> None:
    """Run programs, and move the stack of each to a folder with the name of the program."""
    for name in names:
        folder = _ROOT if name == "main" else _ROOT / "examples" / name
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        runpy.run_path(str(folder / "main.py"), run_name="__main__")
        sys.path.remove(str(folder))
        (stack,) = (output / "stacks").iterdir()
        stack.rename(output / name)


if __name__ == "__main__":
    _synthesize(Path(sys.argv[1]), sys.argv[2:])
