"""`make soak`: random A/B tests in several processes, until one finds what must not be."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed

from ab_soak.breaks import BREAKS
from ab_soak.soak import Result, soak

_PROCESSES = 4


def main() -> int:
    """Make the runs; return 1 when one has failed."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="how many, over all processes")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="the runs of a seed are the same")
    parser.add_argument("--processes", type=int, default=_PROCESSES)
    parser.add_argument("--broken", choices=[name for name in BREAKS if name], help="break this on purpose")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.runs} runs in {options.processes} processes", flush=True)
    began = time.monotonic()
    seeds = [f"{options.seed}-{number}" for number in range(options.runs)]
    context = multiprocessing.get_context("spawn")
    results = list[Result]()
    with ProcessPoolExecutor(options.processes, context) as pool:
        waiting = [
            pool.submit(soak, number, seeds[number :: options.processes], options.broken)
            for number in range(options.processes)
        ]
        for ended in as_completed(waiting):
            results.append(ended.result())
    return _report(results, time.monotonic() - began)


def _report(results: list[Result], seconds: float) -> int:
    fired = sum((result.fired for result in results), Counter[str]())
    failures = [result.failure for result in results if result.failure]
    for failure in failures:
        print(f"with the fewest steps:\n{failure}")
    for name, count in sorted(fired.items()):
        print(f"{count:6} {name}")
    runs, steps = sum(result.runs for result in results), sum(result.steps for result in results)
    print(
        f"{runs} runs, {steps} steps, {sum(fired.values())} disturbances in {seconds:.0f} s;"
        f" {len(failures)} processes have found a failure"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
