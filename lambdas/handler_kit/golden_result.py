"""A model's predictions beside the golden records: how many are right, or how far the numbers are off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from handler_kit.predictions import number, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handler_kit.golden import Record


@dataclass(frozen=True)
class Result:
    """The predictions of a model, and how long each invocation of its endpoint took.

    Attributes:
        records: The golden records.
        answers: The prediction for each.
        latencies_ms: The latency of each invocation, in milliseconds; none of a batch.
        absolute_tolerance: How far a right number may be from the label.
        relative_tolerance: The same as a share of the label.
    """

    records: Sequence[Record]
    answers: Sequence[str]
    latencies_ms: Sequence[float]
    absolute_tolerance: float = 0.0
    relative_tolerance: float = 0.0

    @cached_property
    def rights(self) -> list[bool]:
        """Whether each prediction is right."""
        tolerances = (self.absolute_tolerance, self.relative_tolerance)
        pairs = zip(self.records, self.answers, strict=True)
        return [same(record.label, answer, *tolerances) for record, answer in pairs]

    @property
    def right(self) -> int:
        """How many predictions are right."""
        return sum(self.rights)

    @property
    def accuracy(self) -> float:
        """Share of right predictions, 0 to 1."""
        return self.right / len(self.records)

    @cached_property
    def no_number(self) -> str | None:
        """The first label or prediction that is not a number; ``None`` when the errors can be computed."""
        texts = [text for pair in zip(self.records, self.answers, strict=True) for text in (pair[0].label, pair[1])]
        return next((text for text in texts if number(text) is None), None)

    @cached_property
    def is_regression(self) -> bool:
        """Whether all labels and predictions are numbers, and not all of them whole, as the names of classes are."""
        if self.no_number is not None:
            return False
        texts = (*self.answers, *(record.label for record in self.records))
        return not all(float(text).is_integer() for text in texts)

    @property
    def has_tolerance(self) -> bool:
        """Whether a right number may differ from its label."""
        return bool(self.absolute_tolerance or self.relative_tolerance)

    @cached_property
    def rmse(self) -> float:
        """Root mean squared error of the predictions, which are numbers."""
        return math.sqrt(sum(error * error for error in self.errors) / len(self.errors))

    @cached_property
    def mae(self) -> float:
        """Mean absolute error of the predictions, which are numbers."""
        return sum(self.errors) / len(self.errors)

    @property
    def latency_ms(self) -> int:
        """The 95th percentile of the invocations' latency in milliseconds, by nearest rank, rounded up."""
        ordered = sorted(self.latencies_ms)
        return math.ceil(ordered[math.ceil(0.95 * len(ordered)) - 1])

    def __str__(self) -> str:
        count = f"{self.right} of {len(self.records)} golden records right"
        if self.is_regression:
            errors = f"RMSE {self.rmse:.4g} and MAE {self.mae:.4g}"
            count = f"{count}, {errors}" if self.has_tolerance else f"{errors} on {len(self.records)} golden records"
        return f"{count}, p95 {self.latency_ms} ms" if self.latencies_ms else count

    @cached_property
    def errors(self) -> list[float]:
        """How far each prediction, which is a number, is from its label."""
        pairs = zip(self.records, self.answers, strict=True)
        return [abs(float(record.label) - float(answer)) for record, answer in pairs]
