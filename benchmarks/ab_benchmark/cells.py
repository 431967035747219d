"""What is simulated, and over how many tests."""

from __future__ import annotations

from dataclasses import dataclass

from ab_benchmark.simulation import Cell

SHARES = (0.5, 0.1, 0.01)
RATES = (0.5, 0.9, 0.999)
DIFFERENCES = ((0.9, 0.92), (0.9, 0.95), (0.9, 0.8), (0.999, 0.99), (0.5, 0.52))
COVERED = (
    Cell(0.9, 0.9, 0.5),
    Cell(0.9, 0.92, 0.5),
    Cell(0.9, 0.92, 0.1),
    Cell(0.9, 0.8, 0.1),
    Cell(0.999, 0.99, 0.1),
    Cell(0.5, 0.52, 0.5),
)
LEVEL, POWER, COVERAGE = "level", "power", "coverage"


@dataclass(frozen=True)
class Task:
    """A cell, with the number of its tests."""

    part: str
    cell: Cell
    runs: int


def tasks(runs: int) -> list[Task]:
    """Return everything, for ``runs`` tests of each cell without a difference and a fifth of that of the others."""
    fewer = max(1, runs // 5)
    return [
        *(Task(LEVEL, Cell(rate, rate, share), runs) for share in SHARES for rate in RATES),
        *(Task(POWER, Cell(*rates, share), fewer) for rates in DIFFERENCES for share in SHARES),
        *(Task(COVERAGE, cell, fewer) for cell in COVERED),
    ]
