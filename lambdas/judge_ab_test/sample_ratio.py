"""Whether the variants have received the shares of the traffic that the weights say, at any time.

The product of ``theta(g) / w(g)``, where theta is the share after a shift of its log odds, as a mixture over shifts:
Lindon, Malek, "Anytime-valid inference for multinomial count data", arXiv 2011.03567. A mismatch tells that requests
are lost or sent elsewhere because of the variant; it stops a promotion, and says nothing about quality.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from judge_ab_test.rates import geometric_grid, log_sum_exp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handler_kit.ab_plan import Prior


def assigned(assignments: Iterable[tuple[float, bool]]) -> dict[float, tuple[int, int]]:
    """Count the requests of champion and challenger by the challenger's share at that moment."""
    counts: dict[float, list[int]] = {}
    for share, challenger in assignments:
        counts.setdefault(share, [0, 0])[challenger] += 1
    return {share: (champion, other) for share, (champion, other) in counts.items()}


def log_mismatch(counts: Mapping[float, tuple[int, int]], prior: Prior) -> float:
    """Return the evidence against the stated shares, as a logarithm, from the requests of both variants by share."""
    grid = geometric_grid(prior.smallest_shift, prior.largest_shift, prior.shifts)
    shifts = [sign * shift for sign in (1.0, -1.0) for shift in grid]
    return log_sum_exp([_log_product(counts, shift) for shift in shifts]) - math.log(len(shifts))


def _log_product(counts: Mapping[float, tuple[int, int]], shift: float) -> float:
    parts = []
    for share, (champion, challenger) in counts.items():
        # theta / w = exp(shift) / s and (1 - theta) / (1 - w) = 1 / s, for s = 1 - w + w exp(shift).
        log_scale = math.log1p(share * math.expm1(shift))
        parts.append(challenger * shift - (champion + challenger) * log_scale)
    return math.fsum(parts)
