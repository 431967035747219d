"""``mlops rehearse`` of main.py, twice: the time of each phase, without and with the caches of an earlier run."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from synth_benchmark.numbers import Target
from synth_benchmark.part import Result, Table, tell
from synth_benchmark.processes import environment, run
from synth_benchmark.programs import JSII_CACHE

if TYPE_CHECKING:
    from pathlib import Path

_TERRAFORM = "Terraform "
_SHARE = 0.1
_RUNS = 2


def measure(work: Path, rounds: int) -> Result:
    """Rehearse twice, independent of ``rounds``: the second run uses the caches of the first."""
    del rounds
    command = [sys.executable, "-m", "mlops_constructs", "rehearse", "--approve", "--json", "--no-docker"]
    environ = environment(work, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(JSII_CACHE))
    found = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        printed = json.loads(run(command, environ))
        found.append({"total": round(time.perf_counter() - start, 2), "phases": printed["seconds"]})
        tell("rehearsal:", found[-1]["total"], "s")
    return {"runs": found}


def table(result: Result) -> Table:
    """One row per phase, in the order of execution."""
    runs = result["runs"]
    rows = [(phase, *(f"{one['phases'].get(phase, 0):.1f} s" for one in runs)) for phase in runs[0]["phases"]]
    rows += [
        ("all of Terraform", *(f"{terraform(one):.1f} s" for one in runs)),
        ("outside the phases", *(f"{outside(one):.1f} s" for one in runs)),
        ("whole process", *(f"{one['total']:.1f} s" for one in runs)),
    ]
    return Table(
        "mlops rehearse --approve of main.py",
        ("phase", "first run", "second run"),
        rows,
        ["Outside the phases: synth, start and end of the local AWS, Python itself."],
    )


def targets(result: Result) -> list[Target]:
    """The time outside the phases as a share of the total without the two longest phases, Terraform init and apply."""
    found = []
    for name, one in zip(("first", "second"), result["runs"], strict=False):
        dominating = sum(one["phases"][f"{_TERRAFORM}{phase}"] for phase in ("init", "apply"))
        share = outside(one) / (one["total"] - dominating)
        what = f"rehearsal, {name} run, outside the phases / all but Terraform init and apply"
        found.append(Target(what, f"{share:.0%}", "under 10%", share < _SHARE))
    return found


def terraform(one: Result) -> float:
    """Return the seconds of all Terraform phases of a run."""
    return sum(seconds for phase, seconds in one["phases"].items() if phase.startswith(_TERRAFORM))


def outside(one: Result) -> float:
    """Return the seconds of a run that are in no phase."""
    return float(one["total"]) - sum(one["phases"].values())
