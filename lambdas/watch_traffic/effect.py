"""How much a feature of the traffic differs from the training data: two effect sizes with standard names.

- Population stability index (PSI): the sum over bins of ``(q - p) ln(q / p)``.
- For numbers, the Wasserstein-1 distance in standard deviations of the training data: how far a value moved on average.
  Both distributions are seen as their means in each bin, so a move of all values is exact, and a change within a bin
  that keeps the bin's mean is not seen.

Both are above 0 for any sample, without any drift: the fewer records, the more. PSI of m records against n is then
about ``(1 / m + 1 / n)`` times a chi-squared with one degree of freedom fewer than there are bins (Yurdakul, Naranjo,
"Statistical properties of the population stability index", Journal of Risk Model Validation 14, 2020). This mean, the
*noise*, is subtracted. The distance has noise ``sqrt(2 / pi) sqrt(1 / m + 1 / n)`` times the integral of
``sqrt(F (1 - F))``, subtracted as squares. An effect size counts only when its noise is at most half of its limit.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from watch_traffic.bins import NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watch_traffic.baseline import Feature

# An effect size counts when its noise is at most this part of its limit.
NOISE_SHARE = 0.5


class Effect(NamedTuple):
    """An effect size, without its noise; and the noise."""

    value: float
    noise: float

    def exceeds(self, limit: float) -> bool:
        """Whether it is above a limit, and measured well enough to say so."""
        return self.value > limit and self.noise <= NOISE_SHARE * limit


def psi(feature: Feature, counts: Sequence[int]) -> Effect:
    """Return the population stability index of records with these counts in the bins."""
    expected, records = _shares(feature), sum(counts)
    if not records:
        return Effect(0.0, math.inf)
    # A bin that is empty in one of both is not quite empty, or its logarithm would be infinite.
    found = math.fsum(
        (new - old) * math.log(new / old)
        for old, count, before in zip(expected, counts, feature.counts, strict=True)
        if count or before
        for new in [(count + old) / (records + 1.0)]
    )
    noise = _psi_noise(feature, records)
    return Effect(max(0.0, found - noise), noise)


def wasserstein(feature: Feature, counts: Sequence[int], sums: Sequence[float]) -> Effect | None:
    """Return the distance in standard deviations; None for texts, for a constant, and for no number.

    Args:
        feature: The feature.
        counts: How many records are in each bin.
        sums: The sum of the numbers in each bin.
    """
    known, deviation = feature.bins.known, feature.deviation
    records = sum(counts[:known])
    before = sum(feature.counts[:known])
    if feature.bins.kind != NUMBER or not deviation or not records or not before:
        return None
    points = [(mean, -count / before) for mean, count in zip(feature.means, feature.counts[:known], strict=False)]
    points += [(total / count, count / records) for total, count in zip(sums, counts[:known], strict=False) if count]
    found = _area(points) / deviation
    noise = _distance_noise(feature, records)
    return Effect(math.sqrt(max(0.0, found * found - noise * noise)), noise)


def records_needed(feature: Feature, psi_limit: float, wasserstein_limit: float, share: float = NOISE_SHARE) -> float:
    """Return how many records make the noise of PSI and distance at most a share of their limits.

    It is infinite if there is too little training data for that.
    """
    low, high = 1, 2
    while not _is_enough(feature, high, psi_limit, wasserstein_limit, share):
        low, high = high, 2 * high
        if high > 1 << 40:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        if _is_enough(feature, middle, psi_limit, wasserstein_limit, share):
            high = middle
        else:
            low = middle
    return high


def _is_enough(feature: Feature, records: int, psi_limit: float, wasserstein_limit: float, share: float) -> bool:
    distance = _distance_noise(feature, records) if feature.bins.kind == NUMBER and feature.deviation else 0.0
    return _psi_noise(feature, records) <= share * psi_limit and distance <= share * wasserstein_limit


def _shares(feature: Feature) -> list[float]:
    counts = feature.counts
    whole = sum(counts) + 0.5 * len(counts)
    return [(count + 0.5) / whole for count in counts]


def _psi_noise(feature: Feature, records: int) -> float:
    whole = sum(feature.counts)
    # A bin in which less than one record is expected has only a part of a degree of freedom.
    freedom = math.fsum(min(1.0, records * count / whole) for count in feature.counts) - 1.0
    return max(0.0, freedom) * (1.0 / records + 1.0 / whole)


def _distance_noise(feature: Feature, records: int) -> float:
    counts = feature.counts[: feature.bins.known]
    before, below, whole = sum(counts), 0, 0.0
    points = [(mean, count) for mean, count in zip(feature.means, counts, strict=False) if count]
    for (mean, count), (following, _) in pairwise(points):
        below += count
        share = below / before
        whole += math.sqrt(share * (1.0 - share)) * (following - mean)
    return math.sqrt(2.0 / math.pi * (1.0 / records + 1.0 / before)) * whole / feature.deviation


def _area(points: list[tuple[float, float]]) -> float:
    """Return the area between two distribution functions, given as the steps of their difference."""
    points.sort()
    height, area = 0.0, 0.0
    for (place, step), (following, _) in pairwise(points):
        height += step
        area += abs(height) * (following - place)
    return area
