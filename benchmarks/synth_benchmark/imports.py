"""``import mlops_constructs``, compared with a Python program that does nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from synth_benchmark.numbers import Target, median
from synth_benchmark.part import Result, Table
from synth_benchmark.processes import environment, run, seconds

if TYPE_CHECKING:
    from pathlib import Path

BARE, LIBRARY = "pass", "import mlops_constructs"
_SECONDS = 0.1
# Fast enough for more rounds than the other parts.
_TIMES = 5
_HEAVY = ("jsii", "cdktf", "boto3", "rich", "moto")


def measure(work: Path, rounds: int) -> Result:
    """Run both in turns; check once for modules that must not be imported."""
    environ = environment(work)
    found: dict[str, list[float]] = {BARE: [], LIBRARY: []}
    for code in found:
        run([sys.executable, "-c", code], environ)
    for _ in range(rounds * _TIMES):
        for code, times in found.items():
            times.append(seconds([sys.executable, "-c", code], environ))
    look = f"import json, sys, mlops_constructs; print(json.dumps([m for m in {_HEAVY!r} if m in sys.modules]))"
    return {"seconds": found, "imported": json.loads(run([sys.executable, "-c", look], environ))}


def table(result: Result) -> Table:
    """One row per program."""
    rows = [(f'python -c "{code}"', f"{median(found):.3f} s") for code, found in result["seconds"].items()]
    imported = ", ".join(result["imported"])
    return Table(
        "Import",
        ("program", "median"),
        rows,
        [f"Of the packages {', '.join(_HEAVY)} it imports {imported or 'none, so jsii does not start'}."],
    )


def targets(result: Result) -> list[Target]:
    """Targets for the median difference of the rounds, and for jsii."""
    pairs = zip(result["seconds"][LIBRARY], result["seconds"][BARE], strict=True)
    over = median([library - bare for library, bare in pairs])
    started = "jsii" in result["imported"]
    return [
        Target("import mlops_constructs, longer than Python alone", f"{over:.3f} s", "under 0.1 s", over < _SECONDS),
        Target("import mlops_constructs starts jsii", "yes" if started else "no", "no", not started),
    ]
