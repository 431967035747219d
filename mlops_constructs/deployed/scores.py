"""How good predictions are, beside the labels of held-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .endpoints import same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Score:
    """The quality of predictions.

    Attributes:
        rows: Number of rows.
        metrics: ``accuracy``, or for numbers ``rmse``, ``mae`` and, unless all labels are equal, ``r2``.
        right: How many predictions equal their label.
    """

    rows: int
    metrics: dict[str, float]
    right: int

    def __str__(self) -> str:
        count = f"{self.right} of {self.rows} right, " if "accuracy" in self.metrics else ""
        return count + described(self.metrics)


def described(metrics: Mapping[str, float]) -> str:
    """Return the metrics of a score as text for people."""
    if "accuracy" in metrics:
        return f"accuracy {metrics['accuracy']:.3f}"
    return ", ".join(f"{name.upper()} {value:.4g}" for name, value in metrics.items())


def score(labels: Sequence[str], predictions: Sequence[str]) -> Score:
    """Compare predictions with labels: as numbers if all are numbers and not all are whole, otherwise as classes."""
    right = sum(same(label, prediction) for label, prediction in zip(labels, predictions, strict=True))
    wanted, given = _numbers(labels), _numbers(predictions)
    if wanted is None or given is None or all(number.is_integer() for number in (*wanted, *given)):
        return Score(len(labels), {"accuracy": right / len(labels)}, right)
    errors = [one - other for one, other in zip(wanted, given, strict=True)]
    squares = sum(error * error for error in errors)
    metrics = {"rmse": math.sqrt(squares / len(errors)), "mae": sum(map(abs, errors)) / len(errors)}
    mean = sum(wanted) / len(wanted)
    spread = sum((number - mean) ** 2 for number in wanted)
    if spread:
        metrics["r2"] = 1 - squares / spread
    return Score(len(labels), metrics, right)


def _numbers(texts: Sequence[str]) -> list[float] | None:
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
