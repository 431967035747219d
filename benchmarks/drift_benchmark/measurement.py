"""All streams over several processes; the results depend on the seed alone."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from drift_benchmark.report import numbers_of_kind, numbers_of_shift
from drift_benchmark.simulation import seconds_per_thousand, with_shift, without_drift
from drift_benchmark.streams import KINDS, QUIET, SHIFTS

if TYPE_CHECKING:
    from drift_benchmark.simulation import Found

TIMED_FEATURES, TIMED_RECORDS = 20, 10_000


def measure(runs: int, seed: int, workers: int) -> dict[str, Any]:
    """Simulate ``runs`` streams of each kind without drift, and a fifth of that for each shift."""
    # numpy has threads, which a fork would not copy.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            kinds, shifts = _measured(pool, runs, seed)
        except BaseException:
            # Interrupted: what has not begun never begins.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    speed = {
        "features": TIMED_FEATURES,
        "numbers": seconds_per_thousand(TIMED_FEATURES, TIMED_RECORDS, KINDS[0].source),
        "texts": seconds_per_thousand(TIMED_FEATURES, TIMED_RECORDS, KINDS[3].source),
    }
    return {"runs": runs, "seed": seed, "kinds": kinds, "shifts": shifts, "seconds_per_1000_records": speed}


def _measured(pool: ProcessPoolExecutor, runs: int, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    fewer = max(1, runs // 5)
    kinds, shifts = [], []
    still = [
        (kind, pool.map(_without, *_arguments(place, runs, seed), chunksize=25)) for place, kind in enumerate(KINDS)
    ]
    moved = [
        (shift, quiet, pool.map(_with, *_arguments(place, fewer, seed + 1), [quiet] * fewer, chunksize=10))
        for place, shift in enumerate(SHIFTS)
        for quiet in (0, QUIET)
    ]
    for kind, found in still:
        kinds.append(numbers_of_kind(kind, list(found)))
        _tell(kind.name)
    for shift, quiet, found in moved:
        shifts.append(numbers_of_shift(shift, quiet, list(found)))
        _tell(shift.name)
    return kinds, shifts


def _arguments(place: int, runs: int, seed: int) -> tuple[list[int], list[list[int]]]:
    return [place] * runs, [[seed, place, run] for run in range(runs)]


def _without(place: int, seed: list[int]) -> Found:
    return without_drift(KINDS[place], seed)


def _with(place: int, seed: list[int], quiet: int) -> Found:
    return with_shift(SHIFTS[place], quiet, seed)


def _tell(name: str) -> None:
    if sys.stderr.isatty():
        print(f"done: {name}", file=sys.stderr)
