"""The programs whose policies are mutated: main.py and the examples."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from synthesized_programs import PROGRAMS, SHARED, stack_of

from iam_mutation.programs import read_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iam_mutation.programs import Program

EXAMPLES = ("main", *(Path(program).parent.name for program in PROGRAMS[1:]))
"""``main`` is main.py of the repository; the others are folders of examples/."""


def synthesized(names: Sequence[str]) -> dict[str, Program]:
    """Synthesize programs, and read the policies of the only stack of each."""
    programs = dict(zip(EXAMPLES, PROGRAMS, strict=True))
    with tempfile.TemporaryDirectory(prefix="mutate-") as output:
        os.environ.setdefault(SHARED, output)
        return {name: read_program(stack_of(programs[name])) for name in names}
