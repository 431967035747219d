"""Pairs of success rates, grids of effects and sums of exponentials; all products are sums of logarithms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handler_kit.ab_plan import Prior


class Rates(NamedTuple):
    """The success rates of both variants, each beside its complement: 1 - x would lose the digits of a rate near 1."""

    champion: float
    champion_failure: float
    challenger: float
    challenger_failure: float


class Effect(NamedTuple):
    """A log odds ratio between challenger and champion, and its weight in the prior."""

    log_odds_ratio: float
    weight: float


def log_sum_exp(logs: Sequence[float]) -> float:
    """Return the logarithm of the sum of exponentials; a million outcomes overflow the numbers themselves."""
    largest = max(logs)
    return largest + math.log(math.fsum(math.exp(value - largest) for value in logs))


def geometric_grid(smallest: float, largest: float, count: int) -> tuple[float, ...]:
    """Return ``count`` numbers from the smallest to the largest, each the same multiple of the one before."""
    return tuple(smallest * (largest / smallest) ** (place / (count - 1)) for place in range(count))


def pair(centre: float, share: float, log_odds_ratio: float) -> Rates:
    """Return the rates with this odds ratio whose mixture, by the variants' shares of the traffic, is the centre.

    The champion's odds x solve ``r (1 - p) x^2 + (1 - w + w r - p (1 + r)) x - p = 0``.
    """
    ratio = math.exp(log_odds_ratio)
    linear = 1.0 - share + share * ratio - centre * (1.0 + ratio)
    root = math.sqrt(linear * linear + 4.0 * ratio * centre * (1.0 - centre))
    # Of the two forms of the same root, the one that subtracts nothing.
    odds = (root - linear) / (2.0 * ratio * (1.0 - centre)) if linear <= 0.0 else 2.0 * centre / (root + linear)
    other = ratio * odds
    return Rates(odds / (1.0 + odds), 1.0 / (1.0 + odds), other / (1.0 + other), 1.0 / (1.0 + other))


def half_prior(prior: Prior, share: float, centre: float) -> tuple[Effect, ...]:
    """Return the positive effects with their weights, which add up to 1; the negative half is its mirror image."""
    grid = geometric_grid(prior.smallest_effect, prior.largest_effect, prior.effects)
    information = share * (1.0 - share) * centre * (1.0 - centre)
    deviation = min(prior.max_standard_deviation, prior.normal_scale / math.sqrt(information))
    # On a geometric grid, the distance to the next effect grows with the effect.
    normal = [effect * math.exp(-0.5 * (effect / deviation) ** 2) for effect in grid]
    whole = math.fsum(normal)
    uniform = (1.0 - prior.normal_weight) / prior.effects
    return tuple(
        Effect(effect, prior.normal_weight * density / whole + uniform)
        for effect, density in zip(grid, normal, strict=True)
    )
