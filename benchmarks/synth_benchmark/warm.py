"""Synth of main.py as a whole process, on a machine where a synth has run before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_benchmark.errors import BenchmarkError
from synth_benchmark.numbers import at_least, at_most, median, ratios
from synth_benchmark.part import Result, Table, tell
from synth_benchmark.programs import OURS, PLAIN_JAVASCRIPT, PLAIN_PYTHON, Programs, npm_packages

if TYPE_CHECKING:
    from pathlib import Path

    from synth_benchmark.numbers import Target


def measure(work: Path, rounds: int) -> Result:
    """Run the three programs in turns, after one run of each that is not measured."""
    programs = Programs(work)
    sides, left_out = [OURS, PLAIN_PYTHON], {}
    try:
        npm_packages()
        sides.append(PLAIN_JAVASCRIPT)
    except BenchmarkError as error:
        left_out[PLAIN_JAVASCRIPT] = str(error)
        tell(error)
    # The plain programs first: their runs are long enough for jsii to build the index that all later runs use.
    for side in reversed(sides):
        programs.seconds(side)
    found: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            found[side].append(programs.seconds(side))
            tell("warm:", side, found[side][-1], "s")
    wanted = programs.document(OURS)
    return {
        "seconds": found,
        "equal": {side: programs.document(side) == wanted for side in sides if side != OURS},
        "resources": programs.resources(),
        "left_out": left_out,
    }


def table(result: Result) -> Table:
    """One row per program."""
    seconds: dict[str, list[float]] = result["seconds"]
    rows = [
        (side, f"{median(found):.2f} s", f"{median(ratios(found, seconds[OURS])):.2f}x", _all(found))
        for side, found in seconds.items()
    ]
    notes = [
        f"{side}: the synthesized provider, data, resources and outputs are "
        + ("equal to those of main.py" if equal else "NOT EQUAL to those of main.py: the comparison does not count")
        for side, equal in result["equal"].items()
    ]
    notes += [f"{side} is left out: {reason}" for side, reason in result["left_out"].items()]
    title = f"Synth of main.py ({result['resources']} resources), whole process, warm"
    return Table(title, ("program", "median", "against main.py", "rounds"), rows, notes)


def targets(result: Result) -> list[Target]:
    """Targets for the ratios to the two plain programs, from the same rounds."""
    seconds, equal = result["seconds"], result["equal"]
    ours = seconds[OURS]

    def ratio(these: list[float] | None, those: list[float] | None, side: str) -> float | None:
        return median(ratios(these, those)) if these and those and equal.get(side) else None

    plain, javascript = seconds.get(PLAIN_PYTHON), seconds.get(PLAIN_JAVASCRIPT)
    return [
        at_least("warm synth, plain Python / main.py", ratio(plain, ours, PLAIN_PYTHON), 10),
        at_most("warm synth, main.py / plain JavaScript", ratio(ours, javascript, PLAIN_JAVASCRIPT), 1.5),
    ]


def _all(found: list[float]) -> str:
    return " ".join(f"{one:.2f}" for one in found)
