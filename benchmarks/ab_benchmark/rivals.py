"""The usual ways to judge an A/B test: the z-test, and an asymptotic confidence sequence."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Outcomes for which the sequence is tuned, and the least variance that it takes from a variant's own outcomes.
TUNED_TO = 5_000.0
MIN_VARIANCE = 1e-4
# So many outcomes of each variant, or the variances are not known.
OUTCOMES_OF_EACH = 150


class Seen(NamedTuple):
    """One look at many tests.

    Attributes:
        estimate: Challenger's rate minus champion's.
        half_width: Half the width of the asymptotic confidence sequence.
        different: Whether that excludes 0.
        enough: Whether each variant has OUTCOMES_OF_EACH.
        z: The statistic of the z-test.
        significant: Whether one look at the end would call it significant.
    """

    estimate: NDArray[np.float64]
    half_width: NDArray[np.float64]
    different: NDArray[np.bool_]
    enough: NDArray[np.bool_]
    z: NDArray[np.float64]
    significant: NDArray[np.bool_]


class Rivals:
    """Both methods at one level.

    The z-test has the pooled variance of two proportions. The sequence is that of Waudby-Smith, Arbour, Sinha, Kennedy,
    Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", arXiv 2103.06476, in the form that
    GrowthBook documents for its sequential testing.
    """

    def __init__(self, level: float) -> None:
        """Choose the level."""
        self._level = level
        self._critical = NormalDist().inv_cdf(1.0 - level / 2.0)
        doubled = -2.0 * math.log(level)
        self._rho = (doubled + math.log(doubled + 1.0)) / TUNED_TO

    def look(self, totals: NDArray[np.int64]) -> Seen:
        """Judge the totals of each test: champion's failures and successes, challenger's."""
        champion, challenger = totals[:, 0] + totals[:, 1], totals[:, 2] + totals[:, 3]
        outcomes = champion + challenger
        pooled = (totals[:, 1] + totals[:, 3]) / outcomes
        with np.errstate(divide="ignore", invalid="ignore"):
            first, second = totals[:, 1] / champion, totals[:, 3] / challenger
            variances = np.maximum(first * (1.0 - first), MIN_VARIANCE) / champion
            variances += np.maximum(second * (1.0 - second), MIN_VARIANCE) / challenger
            z = (second - first) / np.sqrt(pooled * (1.0 - pooled) * (1.0 / champion + 1.0 / challenger))
        scaled = outcomes * self._rho + 1.0
        half = np.sqrt(variances * 2.0 * scaled / (outcomes * self._rho) * np.log(np.sqrt(scaled) / self._level))
        # Without an outcome of one variant, or without a failure, nothing is known.
        estimate, half = np.nan_to_num(second - first), np.nan_to_num(half, nan=np.inf)
        z = np.nan_to_num(z, nan=0.0, posinf=0.0, neginf=0.0)
        enough = np.minimum(champion, challenger) >= OUTCOMES_OF_EACH
        return Seen(estimate, half, np.abs(estimate) > half, enough, z, np.abs(z) > self._critical)
