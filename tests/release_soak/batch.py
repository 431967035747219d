"""Runs on one deployment, in a process of its own."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from soaks import prepare

from release_soak.breaks import broken
from release_soak.machine import Result, search
from release_soak.site import deployed_site


@dataclass(frozen=True)
class Batch:
    """Runs on one deployment.

    Attributes:
        seed: Their seed.
        runs: How many.
        bug: What is broken on purpose.
        fewest: Whether fewer steps are looked for when a run fails.
    """

    seed: int
    runs: int
    bug: str | None
    fewest: bool


def run_batch(batch: Batch) -> Result:
    """Deploy, and make runs until one fails."""
    prepare()
    result = Result()
    with deployed_site() as site, broken(site, batch.bug) if batch.bug else contextlib.nullcontext():
        search(site, result, seed_of_runs=batch.seed, runs=batch.runs, fewest=batch.fewest)
        result.failure = result.failure or site.silent()
    result.failure = result.failure or site.processes_left()
    if result.failure:
        print(f"the runs of seed {batch.seed} have failed:\n{result.failure}", flush=True)
    return result
