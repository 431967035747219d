"""`make soak`: random histories of a deployed pipeline in several processes, until one finds what must not be."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import sys
import time
from collections import Counter

from soaks import prepare

from release_soak.batch import Batch, run_batch
from release_soak.breaks import BREAKS, broken
from release_soak.machine import Result, play
from release_soak.site import deployed_site
from release_soak.steps import Step

_PROCESSES = 2
# A process deploys once, and makes this many runs: what the account keeps of executions and jobs grows with each.
_BATCH = 25


def main() -> int:
    """Make the runs; return 1 when one has failed."""
    parser = argparse.ArgumentParser(prog="make soak ONLY=releases", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="how many, over all processes")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="the runs of a seed are the same")
    parser.add_argument("--processes", type=int, default=_PROCESSES)
    parser.add_argument("--broken", choices=list(BREAKS), help="break this on purpose")
    parser.add_argument("--as-found", action="store_true", help="do not look for fewer steps when a run fails")
    parser.add_argument("--steps", help="do these steps instead, as a failure prints them")
    options = parser.parse_args()
    if options.steps is not None:
        return _repeat(options.steps, options.broken)
    batches = [
        Batch(options.seed * 1000 + first, min(_BATCH, options.runs - first), options.broken, not options.as_found)
        for first in range(0, options.runs, _BATCH)
    ]
    print(f"seed {options.seed}, {options.runs} runs in {options.processes} processes", flush=True)
    began, results = time.monotonic(), list[Result]()
    context = multiprocessing.get_context("spawn")
    # Ctrl-C ends the runs, not the report on those that were made.
    with contextlib.suppress(KeyboardInterrupt), context.Pool(options.processes, maxtasksperchild=1) as pool:
        for result in pool.imap_unordered(run_batch, batches):
            results.append(result)
            _progress(results, time.monotonic() - began)
    return _report(results, time.monotonic() - began)


def _repeat(text: str, bug: str | None) -> int:
    """Do the steps that somebody gives."""
    prepare()
    steps: list[Step] = eval(text, {"Step": Step})
    with deployed_site() as site, broken(site, bug) if bug else contextlib.nullcontext():
        found = play(site, steps)
    print(found or "nothing is found")
    return 1 if found else 0


def _progress(results: list[Result], seconds: float) -> None:
    runs, found = sum(one.runs for one in results), sum(bool(one.failure) for one in results)
    print(f"{runs} runs after {seconds:.0f} s, {found} batches with a failure", flush=True)


def _report(results: list[Result], seconds: float) -> int:
    fired = sum((one.fired for one in results), Counter[str]())
    failures = [one.failure for one in results if one.failure]
    for failure in failures:
        print(f"with the fewest steps:\n{failure}")
    for name, count in sorted(fired.items()):
        print(f"{count:6} {name}")
    runs, steps = sum(one.runs for one in results), sum(one.steps for one in results)
    print(
        f"{runs} runs, {steps} steps, {sum(fired.values())} faults in {seconds:.0f} s;"
        f" {len(failures)} batches have found a failure"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
