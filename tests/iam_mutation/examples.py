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

# The tables of what AWS does with a role are of real-time endpoints: tests/stages/test_serving_modes.py judges these
# policies, and tests/rehearsal/test_serving_modes.py uses them.
OTHER_MODES = ("examples/serving/main.py",)
TRIED = [program for program in PROGRAMS if program not in OTHER_MODES]
EXAMPLES = ("main", *(Path(program).parent.name for program in TRIED[1:]))
"""``main`` is main.py of the repository; the others are folders of examples/."""


def synthesized(names: Sequence[str]) -> dict[str, Program]:
    """Synthesize programs, and read the policies of the only stack of each."""
    programs = dict(zip(EXAMPLES, TRIED, strict=True))
    with tempfile.TemporaryDirectory(prefix="mutate-") as output:
        os.environ.setdefault(SHARED, output)
        return {name: read_program(stack_of(programs[name])) for name in names}
