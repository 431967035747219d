"""The shipped e-variables again, for many tests at once; ``agreement`` compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from judge_ab_test.rates import geometric_grid

from handler_kit.ab_plan import Prior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRIOR = Prior()
MINIMUM_SAMPLE = 200
# An e-value beyond this is enough for any level; its exponential is still a number.
_ENOUGH = 600.0


class Mixture:
    """The evidence of many tests with the same share: against equality, or against one difference of the rates."""

    def __init__(self, runs: int, share: float, keep: int = 0, difference: float | None = None) -> None:
        """Begin with no outcome.

        Args:
            runs: Number of tests.
            share: The challenger's share of the traffic.
            keep: Of so many tests, the counts of each epoch are kept.
            difference: The hypothesis: challenger's rate minus champion's; None is "the variant does not matter".
        """
        grid = np.array(geometric_grid(PRIOR.smallest_effect, PRIOR.largest_effect, PRIOR.effects))
        self._share, self._difference = share, difference
        middle = np.zeros(0) if difference is None else np.zeros(1)
        self._effects: Floats = np.concatenate([grid, -grid, middle])
        self._grid = grid
        self._log_prior: Floats | None = None
        self._closed: Floats = np.zeros((runs, len(self._effects)))
        self._factors: list[Floats] = []
        self._current: NDArray[np.int64] = np.zeros((runs, 4), dtype=np.int64)
        self._total, self._successes = 0, np.zeros(runs)
        self._epoch: NDArray[np.int64] = np.zeros((keep, 4), dtype=np.int64)
        self._epochs: list[NDArray[np.int64]] = []
        self._end = MINIMUM_SAMPLE

    def add(self, counts: NDArray[np.int64]) -> None:
        """Take the next outcomes of each test: champion's failures and successes, challenger's."""
        self._current += counts
        self._total += int(counts[0].sum())
        self._successes += counts[:, 1] + counts[:, 3]
        if len(self._epoch):
            self._epoch += counts[: len(self._epoch)]
        if self._total == self._end:
            self._renew()

    def _renew(self) -> None:
        """End an epoch."""
        centre = (self._successes + 0.5) / (self._total + 1.0)
        if self._log_prior is None:
            self._log_prior = self._prior(centre)
            if self._difference is not None:
                # Outcomes that set the centre may be bet on under equality only.
                self._current[:] = 0
        else:
            self._closed = self._log_products()
            self._current[:] = 0
        self._factors = self._log_factors(centre[:, None])
        self._epochs.append(self._epoch.copy())
        self._epoch[:] = 0
        self._end *= 2

    def _prior(self, centre: Floats) -> Floats:
        information = self._share * (1.0 - self._share) * centre * (1.0 - centre)
        deviation = np.minimum(PRIOR.max_standard_deviation, PRIOR.normal_scale / np.sqrt(information))[:, None]
        normal = self._grid * np.exp(-0.5 * (self._grid / deviation) ** 2)
        half = PRIOR.normal_weight * normal / normal.sum(axis=1, keepdims=True)
        half += (1.0 - PRIOR.normal_weight) / PRIOR.effects
        if self._difference is None:
            halves: Floats = np.log(np.concatenate([half, half], axis=1))
            return halves
        half = half * (1.0 - PRIOR.equal_weight) / 2.0
        equal = np.full((len(centre), 1), PRIOR.equal_weight)
        whole: Floats = np.log(np.concatenate([half, half, equal], axis=1))
        return whole

    def _log_factors(self, centre: Floats) -> list[Floats]:
        """Return log e of each of the four outcomes, for each test and effect."""
        share, ratio = self._share, np.exp(self._effects)
        linear = 1.0 - share + share * ratio - centre * (1.0 + ratio)
        root = np.sqrt(linear**2 + 4.0 * ratio * centre * (1.0 - centre))
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.where(
                linear <= 0.0, (root - linear) / (2.0 * ratio * (1.0 - centre)), 2.0 * centre / (root + linear)
            )
        champion, other = odds / (1.0 + odds), 1.0 / (1.0 + odds)
        challenger, failure = ratio * odds / (1.0 + ratio * odds), 1.0 / (1.0 + ratio * odds)
        if self._difference is None:
            success = (1.0 - share) * champion + share * challenger
            failed = (1.0 - share) * other + share * failure
            return [
                np.log(other / failed),
                np.log(champion / success),
                np.log(failure / failed),
                np.log(challenger / success),
            ]
        x = _nearest(champion, challenger, share, self._difference)
        y = x + self._difference
        return [np.log(other / (1.0 - x)), np.log(champion / x), np.log(failure / (1.0 - y)), np.log(challenger / y)]

    def _log_products(self) -> Floats:
        products = self._closed.copy()
        for place, factor in enumerate(self._factors):
            products += self._current[:, place, None] * factor
        return products

    def _weighted(self) -> Floats:
        assert self._log_prior is not None
        return self._log_products() + self._log_prior

    def verdict(self, level: float) -> tuple[Floats, NDArray[np.bool_]]:
        """Return which half is larger, as a sign, and whether the two-sided evidence is ``1 / level``."""
        weights = np.exp(np.minimum(self._weighted(), _ENOUGH))
        better = weights[:, : PRIOR.effects].sum(axis=1)
        worse = weights[:, PRIOR.effects :].sum(axis=1)
        return np.sign(better - worse), (better + worse) / 2.0 >= 1.0 / level

    def rejected(self, level: float) -> NDArray[np.bool_]:
        """Return whether the evidence against the difference is ``1 / level``."""
        found: NDArray[np.bool_] = np.exp(np.minimum(self._weighted(), _ENOUGH)).sum(axis=1) >= 1.0 / level
        return found

    def log_halves(self, run: int) -> tuple[float, float]:
        """Return the log e-values of both halves of one test."""
        logs = self._weighted()[run]
        halves = logs[: PRIOR.effects], logs[PRIOR.effects :]
        return float(np.logaddexp.reduce(halves[0])), float(np.logaddexp.reduce(halves[1]))

    def log_whole(self, run: int) -> float:
        """Return the log e-value of one test."""
        return float(np.logaddexp.reduce(self._weighted()[run]))

    def history(self, run: int) -> list[list[int]]:
        """Return the counts of each epoch of one test that was kept."""
        return [[int(count) for count in epoch[run]] for epoch in (*self._epochs, self._epoch)]


def _nearest(champion: Floats, challenger: Floats, share: float, difference: float) -> Floats:
    """Return the champion's rate at the nearest point of the hypothesis, by halving."""
    low = np.full_like(champion, max(0.0, -difference))
    high = np.full_like(champion, min(1.0, 1.0 - difference))
    for _ in range(60):
        x = (low + high) / 2.0
        y = x + difference
        slope = (1.0 - share) * (x - champion) / (x * (1.0 - x)) + share * (y - challenger) / (y * (1.0 - y))
        low, high = np.where(slope < 0.0, x, low), np.where(slope < 0.0, high, x)
    return (low + high) / 2.0
