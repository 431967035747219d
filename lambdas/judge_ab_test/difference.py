"""Whether the difference of two success rates is a given one, or on one side of it: non-inferiority, harm, interval.

For the null hypothesis "challenger's rate minus champion's is d", or is at most or at least d, and for rates (a, b)
outside it, ``e = q_g(y) / q0_g(y)``, where q0 is the nearest point of the hypothesis in the Kullback-Leibler divergence
weighted by the shares. As the hypothesis is convex, the mean of e is at most 1 everywhere in it (Gruenwald, de Heide,
Koolen, "Safe Testing", arXiv 1906.07801, theorem 1; Turner, Gruenwald, "Exact anytime-valid confidence intervals for
contingency tables and beyond", arXiv 2203.09785). Alternatives inside the hypothesis have e = 1.

Under these hypotheses pooled outcomes do tell about variants, so the outcomes that set the first centre are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from judge_ab_test.rates import Effect, half_prior, log_sum_exp, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handler_kit.ab_plan import Plan
    from judge_ab_test.counts import Segment, Tally
    from judge_ab_test.rates import Rates

EQUAL, AT_MOST, AT_LEAST = "equal", "at most", "at least"
_FARTHEST = 0.999999


@dataclass(frozen=True, slots=True)
class Interval:
    """The differences, challenger minus champion, that the outcomes do not rule out."""

    low: float
    high: float


class _Bet(NamedTuple):
    """One effect of the prior, with its rates in each segment."""

    log_weight: float
    rates: tuple[tuple[Segment, Rates], ...]


def log_e_value(tally: Tally, plan: Plan, difference: float, hypothesis: str) -> float:
    """Return the logarithm of the evidence against a hypothesis on the difference of the rates.

    Args:
        tally: The counts of a rate.
        plan: The test's plan.
        difference: Challenger's rate minus champion's, above -1 and below 1.
        hypothesis: That the true difference is EQUAL to it, AT_MOST or AT_LEAST it.
    """
    return _log_e_value(_bets(tally, plan, hypothesis), difference, hypothesis)


def log_non_inferiority(tally: Tally, plan: Plan, tolerance: float) -> float:
    """Return the evidence that the challenger is not worse by the tolerance or more, as a logarithm."""
    return log_e_value(tally, plan, -tolerance, AT_MOST)


def log_harm(tally: Tally, plan: Plan, tolerance: float) -> float:
    """Return the evidence that the challenger is worse by more than the tolerance, as a logarithm."""
    return log_e_value(tally, plan, -tolerance, AT_LEAST)


def interval(tally: Tally, plan: Plan, estimate: float) -> Interval | None:
    """Return the differences whose evidence is below ``1 / level``; None if there is no such difference.

    With the probability ``1 - level`` it contains the true difference at all looks together. Against a difference of 0
    the evidence is the two-sided verdict's after the first epoch, diluted by ``equal_weight``, so the interval excludes
    0 a little later than the verdict is given.
    """
    bets = _bets(tally, plan, EQUAL)
    threshold = -math.log(plan.level)
    return invert(lambda difference: _log_e_value(bets, difference, EQUAL) < threshold, estimate, _FARTHEST)


def invert(accepted: Callable[[float], bool], estimate: float, farthest: float) -> Interval | None:
    """Return the smallest interval of the differences that are accepted, to about 1e-5 of its own width."""
    start = max(-farthest, min(farthest, estimate))
    if not accepted(start):
        scanned = [place / 50 * farthest for place in range(-50, 51)]
        found = [difference for difference in scanned if accepted(difference)]
        if not found:
            return None
        start = min(found, key=lambda difference: abs(difference - estimate))
    return Interval(_end(accepted, start, -farthest), _end(accepted, start, farthest))


def _end(accepted: Callable[[float], bool], start: float, farthest: float) -> float:
    """Return the last accepted difference between the start and the farthest; beyond a gap, too."""
    steps = [start, *(start + (farthest - start) * 2.0**-exponent for exponent in range(14, -1, -1))]
    last = max(place for place, difference in enumerate(steps) if place == 0 or accepted(difference))
    if last == len(steps) - 1:
        return farthest
    inside, outside = steps[last], steps[last + 1]
    for _ in range(18):
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
    return inside


def nearest_champion_rate(rates: Rates, share: float, difference: float) -> float:
    """Return the champion's rate at the nearest point of the line "challenger's minus champion's rate is d".

    It minimizes ``(1 - w) kl(a, x) + w kl(b, x + d)``, whose derivative rises, so Newton's steps are kept between two
    bounds.
    """
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    x = (1.0 - share) * rates.champion + share * (rates.challenger - difference)
    for _ in range(100):
        if not low < x < high:
            x = (low + high) / 2.0
        own, other = x * (1.0 - x), (x + difference) * (1.0 - x - difference)
        if own <= 0.0 or other <= 0.0:
            break
        first, second = x - rates.champion, x + difference - rates.challenger
        slope = (1.0 - share) * first / own + share * second / other
        low, high = (x, high) if slope < 0.0 else (low, x)
        curve = (1.0 - share) * (own - first * (1.0 - 2.0 * x)) / own**2
        curve += share * (other - second * (1.0 - 2.0 * (x + difference))) / other**2
        step = slope / curve
        x -= step
        if abs(step) <= 1e-16 + 4e-16 * min(x, 1.0 - x) or high - low <= 1e-16:
            break
    return x


def _bets(tally: Tally, plan: Plan, hypothesis: str) -> tuple[_Bet, ...]:
    """Return the effects on which this test bets, with their rates; none before the first centre."""
    centres = tally.centres()
    later = [(segment, centres[segment.epoch]) for segment in tally.segments if segment.epoch > 0]
    if not later:
        return ()
    return tuple(
        _Bet(
            math.log(effect.weight),
            tuple((segment, pair(centre, segment.share, effect.log_odds_ratio)) for segment, centre in later),
        )
        for effect in _prior(plan, centres[0], hypothesis)
    )


def _prior(plan: Plan, centre: float, hypothesis: str) -> Iterator[Effect]:
    """Yield the effects: for harm the negative half, else both halves and "no difference"."""
    half = half_prior(plan.prior, plan.challenger_weight, centre)
    if hypothesis == AT_LEAST:
        yield from (Effect(-effect.log_odds_ratio, effect.weight) for effect in half)
        return
    yield Effect(0.0, plan.prior.equal_weight)
    for sign in (1.0, -1.0):
        for effect in half:
            yield Effect(sign * effect.log_odds_ratio, effect.weight * (1.0 - plan.prior.equal_weight) / 2.0)


def _log_e_value(bets: tuple[_Bet, ...], difference: float, hypothesis: str) -> float:
    if not bets:
        return 0.0
    return log_sum_exp(
        [
            bet.log_weight
            + math.fsum(log_product(segment, rates, difference, hypothesis) for segment, rates in bet.rates)
            for bet in bets
        ]
    )


def log_product(segment: Segment, rates: Rates, difference: float, hypothesis: str) -> float:
    """Return the logarithm of the product of e over the outcomes of a segment, for one pair of rates."""
    observed = rates.challenger - rates.champion
    if (hypothesis == AT_MOST and observed <= difference) or (hypothesis == AT_LEAST and observed >= difference):
        return 0.0
    x = nearest_champion_rate(rates, segment.share, difference)
    y = x + difference
    # A point that rounding has put on the edge of the square gives an outcome that cannot be: no evidence.
    if not (0.0 < x < 1.0 and 0.0 < y < 1.0):
        return 0.0
    return (
        segment.champion[0] * math.log(rates.champion_failure / (1.0 - x))
        + segment.champion[1] * math.log(rates.champion / x)
        + segment.challenger[0] * math.log(rates.challenger_failure / (1.0 - y))
        + segment.challenger[1] * math.log(rates.challenger / y)
    )
