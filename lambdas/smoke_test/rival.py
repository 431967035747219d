"""The model in production beside the new one, on the same golden records."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handler_kit.golden_result import Result


@dataclass(frozen=True)
class Comparison:
    """How two models predict the same records.

    Attributes:
        rival: The predictions of the model in production.
        worse: Number of records that it predicts better than the new model: right where the new one is wrong or, for
            numbers, with a smaller error.
        better: Number of records that the new model predicts better.
    """

    rival: Result
    worse: int
    better: int

    @property
    def confidence(self) -> float:
        """How sure it is that production's model is the better one, 0 to 1.

        The exact test of the records on which the two differ: for classes McNemar's test, for numbers the sign test.
        Q. McNemar, Note on the sampling error of the difference between correlated proportions or percentages,
        Psychometrika 12 (1947); W. J. Conover, Practical Nonparametric Statistics, 3rd edition (1999), section 3.4.
        """
        differing = self.worse + self.better
        # If both are equally good, each of these records is like the toss of a coin.
        as_many = sum(math.comb(differing, count) for count in range(self.worse, differing + 1))
        return 1 - as_many / 2**differing

    def __str__(self) -> str:
        if self.rival.is_regression and not self.rival.has_tolerance:
            return f"production RMSE {self.rival.rmse:.4g}"
        return f"production {self.rival.right} right"


def compare(result: Result, rival: Result) -> Comparison:
    """Compare the predictions record by record."""
    if result.is_regression and rival.no_number is None:
        pairs = list(zip(result.errors, rival.errors, strict=True))
        equal = [math.isclose(ours, theirs, rel_tol=1e-6) for ours, theirs in pairs]
        ours_better = [ours < theirs and not same for (ours, theirs), same in zip(pairs, equal, strict=True)]
        theirs_better = [theirs < ours and not same for (ours, theirs), same in zip(pairs, equal, strict=True)]
        return Comparison(rival, sum(theirs_better), sum(ours_better))
    rights = list(zip(result.rights, rival.rights, strict=True))
    return Comparison(
        rival, sum(theirs > ours for ours, theirs in rights), sum(ours > theirs for ours, theirs in rights)
    )
