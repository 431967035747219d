"""All cells over several processes; the results depend on the seed alone."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from ab_benchmark.agreement import compare, width
from ab_benchmark.cells import COVERAGE, tasks
from ab_benchmark.report import numbers
from ab_benchmark.simulation import BLOCK, joined, simulate

if TYPE_CHECKING:
    from ab_benchmark.cells import Task
    from ab_benchmark.simulation import Outcome

# So many tests fit into the processor's cache.
CHUNK = 500
KEPT, WIDTHS = 2, 10


def measure(runs: int, horizon: int, seed: int, workers: int) -> dict[str, Any]:
    """Simulate every cell and compare some of its tests with the shipped modules."""
    rows, compared = [], 0
    # numpy has threads, which a fork would not copy.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        asked = [(task, _chunks(task, horizon, [seed, place])) for place, task in enumerate(tasks(runs))]
        started = [(task, [pool.submit(_simulate, *chunk) for chunk in chunks]) for task, chunks in asked]
        for place, (task, futures) in enumerate(started, start=1):
            found = joined([future.result() for future in futures])
            compared += compare(task.cell, found.kept[:KEPT])
            widths = [width(task.cell, run) for run in found.kept[:WIDTHS]] if task.part == COVERAGE else []
            rows.append(numbers(task, found, [each for each in widths if each is not None]))
            if sys.stderr.isatty():
                print(f"\r{place} of {len(started)} cells", end="\n" if place == len(started) else "", file=sys.stderr)
    return {"runs": runs, "horizon": horizon, "seed": seed, "look_every": BLOCK, "compared": compared, "rows": rows}


def _chunks(task: Task, horizon: int, seed: list[int]) -> list[tuple[Task, int, int, list[int], int]]:
    """Return the arguments of ``_simulate`` for each chunk; results do not depend on the number of workers."""
    starts = range(0, task.runs, CHUNK)
    return [
        (task, min(CHUNK, task.runs - start), horizon, [*seed, start], WIDTHS if start == 0 else 0) for start in starts
    ]


def _simulate(task: Task, runs: int, horizon: int, seed: list[int], keep: int) -> Outcome:
    return simulate(task.cell, runs, horizon, seed, min(keep, runs), coverage=task.part == COVERAGE)
