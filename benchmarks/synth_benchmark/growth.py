"""1, 10 and 50 pipelines in one app: the time and memory for one more pipeline."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from synth_benchmark.numbers import at_most, median
from synth_benchmark.part import Result, Table, tell
from synth_benchmark.processes import environment, run
from synth_benchmark.programs import BENCHMARKS, JSII_CACHE

if TYPE_CHECKING:
    from pathlib import Path

    from synth_benchmark.numbers import Target

SIZES = (1, 10, 50)
_TEN = 10


def measure(work: Path, rounds: int) -> Result:
    """Run each size in turns, in a process of its own."""
    found: dict[str, list[Result]] = {str(size): [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            environ = environment(
                work,
                PYTHONPATH=str(BENCHMARKS),
                CDKTF_OUTDIR=str(work / f"{size}.out"),
                JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(JSII_CACHE),
            )
            one = json.loads(run([sys.executable, "-m", "synth_benchmark.growth_app", str(size)], environ))
            found[str(size)].append(one)
            tell("growth:", size, "pipelines:", round(sum(one["pipelines"]), 2), "s, synth", one["synth"], "s")
    return {"sizes": found}


def table(result: Result) -> Table:
    """One row per number of pipelines."""
    rows = []
    for size, found in result["sizes"].items():
        each = [median(one["pipelines"]) for one in found]
        synth = median([one["synth"] for one in found])
        rows.append((size, f"{median(each):.3f} s", f"{synth:.2f} s", *_memory(found)))
    return Table(
        "Pipelines in one app",
        ("pipelines", "each", "synth of all", "Python, peak", "Node, peak"),
        rows,
        ["Each is the median of its app's pipelines; the first one also loads the bindings that it uses."],
    )


def targets(result: Result) -> list[Target]:
    """The last ten of the largest app against its first ten."""
    largest = result["sizes"][str(max(SIZES))]
    ratio = median([growth(one["pipelines"]) for one in largest])
    return [at_most("one more pipeline, last ten of 50 / first ten", ratio, 1.2)]


def growth(seconds: list[float]) -> float:
    """Return the median of the last ten, divided by the median of the first ten."""
    return median(seconds[-_TEN:]) / median(seconds[:_TEN])


def _memory(found: list[Result]) -> tuple[str, str]:
    if found[0]["megabytes"] is None:
        return "not measured", "not measured"
    python, node = (median([one["megabytes"][name] for one in found]) for name in ("python", "node"))
    return f"{python:.0f} MB", f"{node:.0f} MB"
