"""Synth of main.py with an empty jsii package cache: the first, second and third run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from synth_benchmark.numbers import at_most, median, ratios
from synth_benchmark.part import Result, Table, tell
from synth_benchmark.programs import OURS, PLAIN_PYTHON, Programs

if TYPE_CHECKING:
    from synth_benchmark.numbers import Target

RUNS = ("first", "second", "third")


def measure(work: Path, rounds: int) -> Result:
    """In each round, give each program an empty cache of its own and run it three times."""
    programs = Programs(work)
    sides = (OURS, PLAIN_PYTHON)
    programs.generated  # noqa: B018  # generate the programs now, not in a measured run
    found: dict[str, dict[str, list[float]]] = {side: {run: [] for run in RUNS} for side in sides}
    for _ in range(rounds):
        for side in sides:
            with tempfile.TemporaryDirectory(dir=work) as cache:
                for run in RUNS:
                    found[side][run].append(programs.seconds(side, Path(cache)))
                    tell("cold:", side, run, found[side][run][-1], "s")
    return {"seconds": found}


def table(result: Result) -> Table:
    """One row per run."""
    ours, plain = result["seconds"][OURS], result["seconds"][PLAIN_PYTHON]
    rows = [
        (
            f"{run} run",
            f"{median(ours[run]):.2f} s",
            f"{median(plain[run]):.2f} s",
            f"{median(ratios(plain[run], ours[run])):.2f}x",
        )
        for run in RUNS
    ]
    return Table(
        "Synth of main.py, whole process, empty jsii package cache",
        ("run", OURS, PLAIN_PYTHON, "against main.py"),
        rows,
    )


def targets(result: Result) -> list[Target]:
    """No run may be slower than that of the plain program."""
    ours, plain = result["seconds"][OURS], result["seconds"][PLAIN_PYTHON]
    return [
        at_most(f"cold synth, {run} run, main.py / plain Python", median(ratios(ours[run], plain[run])), 1)
        for run in RUNS
    ]
