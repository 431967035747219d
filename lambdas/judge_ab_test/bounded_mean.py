"""Whether two means differ, for values between 0 and 1, such as a latency that is cut off at a limit.

With the share w, the past pooled mean m and the value x of a request, ``z = (x - m) (1{B} / w - 1{A} / (1 - w))`` has
the difference of the means, challenger minus champion, as its expectation. So ``1 + eta (z - d)`` is a fair bet against
a difference of d, and for eta > 0 one against "at most d", whatever the distributions are (Waudby-Smith, Ramdas,
"Estimating means of bounded random variables by betting", arXiv 2010.09686; with known shares: Waudby-Smith, Wu,
Ramdas, Karampatziakis, Mineiro, "Anytime-valid off-policy inference for contextual bandits", arXiv 2210.10768).

Values are rounded to one of ``bins``, so that counts are all the state. It is weak at 99:1, where z is up to 100.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from judge_ab_test.difference import AT_LEAST, AT_MOST, EQUAL, Interval, invert
from judge_ab_test.rates import geometric_grid, log_sum_exp
from judge_ab_test.superiority import EValues

if TYPE_CHECKING:
    from handler_kit.ab_plan import Plan
    from judge_ab_test.counts import Segment, Tally

_SIGNS = {EQUAL: (1.0, -1.0), AT_MOST: (1.0,), AT_LEAST: (-1.0,)}


def headroom_bin(value: float, limit: float, bins: int) -> int:
    """Return the bin of a value of which less is better, such as a latency: its distance to the limit, 0 above it."""
    return round((1.0 - min(max(value, 0.0), limit) / limit) * (bins - 1))


def e_values(tally: Tally, plan: Plan) -> EValues:
    """Return the evidence that the challenger's mean is higher, and that it is lower."""
    return EValues(log_e_value(tally, plan, 0.0, AT_MOST), log_e_value(tally, plan, 0.0, AT_LEAST))


def log_e_value(tally: Tally, plan: Plan, difference: float, hypothesis: str) -> float:
    """Return the logarithm of the evidence against a hypothesis on the difference, as ``difference.log_e_value``."""
    centres = tally.centres()
    later = [(segment, centres[segment.epoch]) for segment in tally.segments if segment.epoch > 0]
    if not later:
        return 0.0
    prior = plan.prior
    bets = geometric_grid(prior.smallest_bet, prior.largest_bet, prior.bets)
    signs = _SIGNS[hypothesis]
    return log_sum_exp(
        [
            math.fsum(_log_product(segment, centre, difference, sign * bet) for segment, centre in later)
            for sign in signs
            for bet in bets
        ]
    ) - math.log(len(bets) * len(signs))


def interval(tally: Tally, plan: Plan, estimate: float) -> Interval | None:
    """Return the differences of the means that are not ruled out, as ``difference.interval``."""
    threshold = -math.log(plan.level)
    return invert(lambda value: log_e_value(tally, plan, value, EQUAL) < threshold, estimate, 1.0)


def _log_product(segment: Segment, centre: float, difference: float, bet: float) -> float:
    """Return the logarithm of the capital of one bet; it is a share of the largest that can never lose everything."""
    share = segment.share
    eta = bet / (max(centre, 1.0 - centre) / min(share, 1.0 - share) + abs(difference))
    last = len(segment.champion) - 1
    parts = []
    for counts, scale in ((segment.champion, -1.0 / (1.0 - share)), (segment.challenger, 1.0 / share)):
        for bin_, count in enumerate(counts):
            if count:
                z = (bin_ / last - centre) * scale
                parts.append(count * math.log1p(eta * (z - difference)))
    return math.fsum(parts)
