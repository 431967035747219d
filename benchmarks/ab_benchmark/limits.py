"""The upper limit of a probability that was simulated."""

from __future__ import annotations

import math


def upper_limit(found: int, runs: int, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper-Pearson limit: the probability at which so few would be found too seldom."""
    if found >= runs:
        return 1.0
    low, high = found / runs, 1.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _at_most(found, runs, middle) > 1.0 - confidence else (low, middle)
    return high


def _at_most(found: int, runs: int, probability: float) -> float:
    """Return the probability that a binomial count is at most ``found``; the shorter of both sums."""
    if found > runs / 2:
        return 1.0 - _at_most(runs - found - 1, runs, 1.0 - probability)
    whole = math.lgamma(runs + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(count + 1)
            - math.lgamma(runs - count + 1)
            + count * math.log(probability)
            + (runs - count) * math.log1p(-probability)
        )
        for count in range(found + 1)
    )
