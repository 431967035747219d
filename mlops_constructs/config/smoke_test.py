"""What a new deployment must predict before the pipeline continues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import in_range
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest(Part):
    """Requirements for a new deployment, which is invoked with the golden records of the data set.

    A label is correct if it is the same text or number, a number also within one of the tolerances. For a regression,
    give a tolerance, or ``SmokeTest.for_regression(max_rmse=...)``.

    Attributes:
        min_accuracy: Minimum share of correct predictions, 0.0 to 1.0, or None to check only that it responds. Literal.
        absolute_tolerance: How far a correct number may be from the label. Literal.
        relative_tolerance: The same as a share of the label, such as 0.1 for 10 %. Literal.
        max_rmse: Maximum root mean squared error of the predictions, or None. Literal.
        max_mae: Maximum mean absolute error of the predictions, or None. Literal.
        confidence_level: Also invoke the production endpoint with the same records, once, and fail if its model
            predicts them better, with this confidence, 0.5 to 0.999: McNemar's exact test, for numbers the sign test. A
            data set then should name golden records of its own. None does not invoke it. Only for DEV. Literal.
        max_latency_ms: Maximum 95th percentile of the invocations' latency, in milliseconds. Literal.
    """

    min_accuracy: float | None = 0.8
    absolute_tolerance: float = 0.0
    relative_tolerance: float = 0.0
    max_rmse: float | None = None
    max_mae: float | None = None
    confidence_level: float | None = None
    max_latency_ms: int = 2000

    @classmethod
    def for_regression(
        cls,
        *,
        min_accuracy: float | None = None,
        absolute_tolerance: float = 0.0,
        relative_tolerance: float = 0.0,
        max_rmse: float | None = None,
        max_mae: float | None = None,
        confidence_level: float | None = None,
        max_latency_ms: int = 2000,
    ) -> SmokeTest:
        """For numbers: only the limits that are given, and no share of exact predictions."""
        return cls(
            min_accuracy=min_accuracy,
            absolute_tolerance=absolute_tolerance,
            relative_tolerance=relative_tolerance,
            max_rmse=max_rmse,
            max_mae=max_mae,
            confidence_level=confidence_level,
            max_latency_ms=max_latency_ms,
        )

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        if self.min_accuracy is not None:
            yield from in_range("min_accuracy", self.min_accuracy, 0.0, 1.0)
        for name in ("absolute_tolerance", "relative_tolerance", "max_rmse", "max_mae"):
            value = getattr(self, name)
            if value is not None:
                yield from in_range(name, value, 0.0, 1e18)
        if self.confidence_level is not None:
            yield from in_range("confidence_level", self.confidence_level, 0.5, 0.999)
        yield from in_range("max_latency_ms", self.max_latency_ms, 1, 60_000, "ms")
        yield from self._exact_problems()

    def _exact_problems(self) -> Iterator[Problem]:
        """An error limit is for numbers, which are hardly ever the same as their labels."""
        tolerances = [self.absolute_tolerance, self.relative_tolerance]
        limits = [limit for limit in (self.max_rmse, self.max_mae) if limit is not None]
        if limits and self.min_accuracy is not None and not is_token(tolerances + limits) and not any(tolerances):
            yield Problem(
                "min_accuracy",
                "needs a tolerance beside max_rmse or max_mae: numbers are hardly ever exactly right",
                self.min_accuracy,
                "give absolute_tolerance or relative_tolerance, or use SmokeTest.for_regression(...)",
            )
