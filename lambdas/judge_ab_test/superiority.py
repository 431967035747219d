"""Whether the variants differ: the exact e-variable for two streams with randomized assignment.

A request goes to the challenger with a share w that is fixed before. For rates a, b of champion and challenger, an
outcome y of variant g has ``e = q_g(y) / ((1 - w) q_A(y) + w q_B(y))``. Whatever y is, the mean of e over the two
variants is 1, so under "the variant does not matter" the product is a martingale that starts at 1: for any rate, under
drift, and when outcomes are lost or late because of what they are. By Ville's inequality it ever reaches 1 / level
with a probability of at most ``level``, however often one looks.

With b > a, the mean of e is at most 1 wherever the challenger is not better, so this half tests "not better" too.

Turner, Ly, Gruenwald, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping",
arXiv 2106.02693; Gruenwald, de Heide, Koolen, "Safe Testing", arXiv 1906.07801; Ramdas, Gruenwald, Vovk, Shafer,
"Game-theoretic statistics and safe anytime-valid inference", arXiv 2210.01948.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judge_ab_test.rates import half_prior, log_sum_exp, pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handler_kit.ab_plan import Plan
    from judge_ab_test.counts import Segment, Tally
    from judge_ab_test.rates import Effect


@dataclass(frozen=True, slots=True)
class EValues:
    """The evidence against equality, as natural logarithms of e-values.

    Attributes:
        log_better: Against "the challenger is not better".
        log_worse: Against "the challenger is not worse".
    """

    log_better: float = 0.0
    log_worse: float = 0.0

    @property
    def log_two_sided(self) -> float:
        """Against "the variant does not matter": the mean of both halves."""
        return log_sum_exp((self.log_better, self.log_worse)) - math.log(2.0)

    @property
    def log_two_sided_better(self) -> float:
        """The two-sided evidence where the larger half is for the challenger, else what that half adds to it."""
        return self.log_two_sided if self.log_better >= self.log_worse else self.log_better - math.log(2.0)

    @property
    def log_two_sided_worse(self) -> float:
        """The same for the champion."""
        return self.log_two_sided if self.log_worse > self.log_better else self.log_worse - math.log(2.0)


def e_values(tally: Tally, plan: Plan) -> EValues:
    """Return the evidence of the outcomes so far; of no outcome, or before the first centre, e is 1."""
    centres = tally.centres()
    if not centres:
        return EValues()
    segments = [(segment, centres[segment.epoch]) for segment in tally.segments]
    effects = half_prior(plan.prior, plan.challenger_weight, centres[0])
    return EValues(mixture(segments, effects, 1.0), mixture(segments, effects, -1.0))


def mixture(segments: Sequence[tuple[Segment, float]], effects: Sequence[Effect], sign: float) -> float:
    """Return the log e-value of the mixture over effects of one sign, for segments with their centres."""
    return log_sum_exp(
        [
            math.log(effect.weight)
            + math.fsum(log_product(segment, centre, sign * effect.log_odds_ratio) for segment, centre in segments)
            for effect in effects
        ]
    )


def log_product(segment: Segment, centre: float, log_odds_ratio: float) -> float:
    """Return the logarithm of the product of e over the outcomes of a segment, for one effect."""
    rates = pair(centre, segment.share, log_odds_ratio)
    # Formed from the rates themselves: the mean of e is then 1 for every outcome, whatever rounding did to the rates.
    success = (1.0 - segment.share) * rates.champion + segment.share * rates.challenger
    failure = (1.0 - segment.share) * rates.champion_failure + segment.share * rates.challenger_failure
    return (
        segment.champion[0] * math.log(rates.champion_failure / failure)
        + segment.champion[1] * math.log(rates.champion / success)
        + segment.challenger[0] * math.log(rates.challenger_failure / failure)
        + segment.challenger[1] * math.log(rates.challenger / success)
    )
