"""Simulated tests: many at once, in blocks of outcomes, and when each method first gives a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ab_benchmark.mixture import Mixture
from ab_benchmark.rivals import Rivals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# A look after so many outcomes; the sizes of all epochs are multiples of it.
BLOCK = 20
MINIMUM_SAMPLE = 200
LEVEL = 0.05
OURS = "mixture"
ASYMPTOTIC, ASYMPTOTIC_EACH, Z_EACH, Z_ONCE = "asymptotic", "asymptotic, 150 each", "z, each look", "z, once"
METHODS = (OURS, ASYMPTOTIC, ASYMPTOTIC_EACH, Z_EACH, Z_ONCE)


@dataclass(frozen=True)
class Cell:
    """One situation: the success rates of champion and challenger, and the challenger's share of the traffic."""

    champion: float
    challenger: float
    share: float

    @property
    def difference(self) -> float:
        """Challenger minus champion."""
        return self.challenger - self.champion

    @property
    def probabilities(self) -> list[float]:
        """Of champion's failure and success, challenger's failure and success."""
        kept = 1.0 - self.share
        champion, challenger = kept * self.champion, self.share * self.challenger
        return [kept - champion, champion, self.share - challenger, challenger]


@dataclass
class Outcome:
    """What happened in a number of tests of one cell.

    Attributes:
        first: Outcomes at which each method first found a difference, by method; 0 where it never did.
        challenger_better: Whether it then said that the challenger is better.
        missed: Tests in which the interval did not contain the difference at some look, by method.
        kept: Counts by epoch of some tests, as a tally has them, and their log e-values as computed here.
    """

    first: dict[str, NDArray[np.int64]]
    challenger_better: dict[str, NDArray[np.bool_]]
    missed: dict[str, NDArray[np.bool_]]
    kept: list[Kept]

    @classmethod
    def of(cls, runs: int) -> Outcome:
        """Return the outcome before the first look."""
        return cls(
            {name: np.zeros(runs, dtype=np.int64) for name in METHODS},
            {name: np.zeros(runs, dtype=bool) for name in METHODS},
            {name: np.zeros(runs, dtype=bool) for name in (OURS, ASYMPTOTIC_EACH)},
            [],
        )

    def note(self, name: str, count: int, towards: NDArray[np.float64], crossed: NDArray[np.bool_]) -> None:
        """Keep the first crossing of each test, and on which side it was."""
        new = crossed & (self.first[name] == 0)
        self.first[name][new] = count
        self.challenger_better[name][new] = towards[new] > 0.0


@dataclass(frozen=True)
class Kept:
    """One test to compare with the shipped module: its epochs' counts, and the evidence that was computed here."""

    epochs: list[list[int]]
    log_better: float
    log_worse: float
    log_difference: float | None


def blocks(
    cell: Cell, runs: int, horizon: int, generator: np.random.Generator
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the number of outcomes of each test so far, and the counts of the last block."""
    for count in range(BLOCK, horizon + 1, BLOCK):
        yield count, generator.multinomial(BLOCK, cell.probabilities, size=runs)


def simulate(cell: Cell, runs: int, horizon: int, seed: list[int], keep: int, *, coverage: bool) -> Outcome:
    """Run tests of one cell with all methods on the same outcomes.

    Args:
        cell: The situation.
        runs: Number of tests.
        horizon: Outcomes of both variants in each test.
        seed: Of the random numbers.
        keep: For so many of the tests, return the counts by epoch.
        coverage: Whether to see if the intervals contain the true difference, at all looks together.
    """
    generator = np.random.default_rng(seed)
    ours = Mixture(runs, cell.share, keep)
    exact = Mixture(runs, cell.share, keep, difference=cell.difference) if coverage else None
    rivals = Rivals(LEVEL)
    found = Outcome.of(runs)
    totals = np.zeros((runs, 4), dtype=np.int64)
    for count, block in blocks(cell, runs, horizon, generator):
        totals += block
        ours.add(block)
        if exact is not None:
            exact.add(block)
        if count < MINIMUM_SAMPLE:
            continue
        found.note(OURS, count, *ours.verdict(LEVEL))
        seen = rivals.look(totals)
        found.note(ASYMPTOTIC, count, seen.estimate, seen.different)
        found.note(ASYMPTOTIC_EACH, count, seen.estimate, seen.different & seen.enough)
        found.note(Z_EACH, count, seen.z, seen.significant)
        if count == horizon:
            found.note(Z_ONCE, count, seen.z, seen.significant)
        if exact is not None:
            found.missed[OURS] |= exact.rejected(LEVEL)
            outside = np.abs(seen.estimate - cell.difference) > seen.half_width
            found.missed[ASYMPTOTIC_EACH] |= outside & seen.enough
    for run in range(min(keep, runs)):
        against = None if exact is None else exact.log_whole(run)
        found.kept.append(Kept(ours.history(run), *ours.log_halves(run), against))
    return found


def joined(parts: list[Outcome]) -> Outcome:
    """Return the outcomes of several chunks of the same cell as one."""
    return Outcome(
        {name: np.concatenate([part.first[name] for part in parts]) for name in METHODS},
        {name: np.concatenate([part.challenger_better[name] for part in parts]) for name in METHODS},
        {name: np.concatenate([part.missed[name] for part in parts]) for name in parts[0].missed},
        [kept for part in parts for kept in part.kept],
    )
