"""The difference so far, and how many more outcomes a verdict needs if it stays as it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handler_kit.ab_plan import RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handler_kit.ab_plan import Metric
    from judge_ab_test.counts import Tally

SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The observed means.

    Attributes:
        champion: The champion's mean; None without an outcome.
        challenger: The challenger's.
        difference: Challenger minus champion among outcomes of the same share and epoch, weighted as by Mantel and
            Haenszel: a rate that drifts while the shares change is no difference. None if there is no such pair.
    """

    champion: float | None
    challenger: float | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left until a verdict.

    Attributes:
        outcomes: About so many more outcomes; None if the difference so far would never lead to one.
        days: The same at the traffic so far.
        in_time: Whether that is before ``maximum_days``.
    """

    outcomes: int | None
    days: float | None
    in_time: bool


def estimate(tally: Tally) -> Estimate:
    """Return the means and their difference."""
    weighted = weights = 0.0
    for segment in tally.segments:
        champion, challenger = sum(segment.champion), sum(segment.challenger)
        if champion and challenger:
            weight = champion * challenger / (champion + challenger)
            weighted += weight * ((_mean(segment.challenger) or 0.0) - (_mean(segment.champion) or 0.0))
            weights += weight
    difference = weighted / weights if weights else None
    return Estimate(_mean(tally.champion), _mean(tally.challenger), difference)


def growth(tally: Tally, metric: Metric, share: float) -> float:
    """Return the expected log e of one more outcome, at the estimates and this share, for the best bet."""
    found = estimate(tally)
    if found.difference is None or not 0.0 < share < 1.0:
        return 0.0
    centre = _smoothed_mean(tally)
    if metric.kind == RATE:
        champion = min(max(centre - share * found.difference, 1e-9), 1.0 - 1e-9)
        challenger = min(max(centre + (1.0 - share) * found.difference, 1e-9), 1.0 - 1e-9)
        mixed = (1.0 - share) * champion + share * challenger
        return (1.0 - share) * _divergence(champion, mixed) + share * _divergence(challenger, mixed)
    spread = _variance(tally) / (share * (1.0 - share))
    return found.difference**2 / (2.0 * (spread + found.difference**2))


def forecast(growth_per_outcome: float, log_e: float, level: float, a_day: float, days_left: float) -> Forecast:
    """Return how much longer until the evidence is ``1 / level``.

    Args:
        growth_per_outcome: The expected log e of one more outcome.
        log_e: The evidence so far.
        level: The level of the statement.
        a_day: Outcomes of both variants in one day.
        days_left: Days until ``maximum_days``.
    """
    missing = -math.log(level) - log_e
    if missing <= 0.0:
        return Forecast(0, 0.0, True)
    if growth_per_outcome <= 0.0 or not math.isfinite(missing / growth_per_outcome):
        return Forecast(None, None, False)
    outcomes = math.ceil(missing / growth_per_outcome)
    if a_day <= 0.0:
        return Forecast(outcomes, None, False)
    return Forecast(outcomes, outcomes / a_day, outcomes / a_day <= days_left)


def _mean(counts: Sequence[int]) -> float | None:
    total = sum(counts)
    return sum(bin_ * count for bin_, count in enumerate(counts)) / (total * (len(counts) - 1)) if total else None


def _pooled(tally: Tally) -> list[int]:
    return [champion + challenger for champion, challenger in zip(tally.champion, tally.challenger, strict=True)]


def _smoothed_mean(tally: Tally) -> float:
    counts = _pooled(tally)
    return ((_mean(counts) or 0.0) * sum(counts) + 0.5) / (sum(counts) + 1.0)


def _variance(tally: Tally) -> float:
    counts, last, centre = _pooled(tally), tally.bins - 1, _smoothed_mean(tally)
    return sum(count * (bin_ / last - centre) ** 2 for bin_, count in enumerate(counts)) / max(1, sum(counts))


def _divergence(rate: float, other: float) -> float:
    """Return the Kullback-Leibler divergence of two success rates."""
    return rate * math.log(rate / other) + (1.0 - rate) * math.log((1.0 - rate) / (1.0 - other))
