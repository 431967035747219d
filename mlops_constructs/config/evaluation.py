"""When a trained model is good enough to be deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import in_range, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The gate between training and deployment. A missing or unreadable metric closes it.

    Attributes:
        metric: Name of one of ``Training.metrics``. Literal.
        minimum: The metric must be at least this (accuracy and the like), or None. Literal.
        maximum: The metric must be at most this (loss and the like), or None. Literal.
        beat_production_by: The metric must be better than that of the model now in production by at least this
            much; 0.0 means no worse; None leaves production out of it. Higher is better, unless only ``maximum``
            is given. Literal.
    """

    metric: str = "validation:accuracy"
    minimum: float | None = 0.8
    maximum: float | None = None
    beat_production_by: float | None = 0.0

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from literal("metric", self.metric)
        for name in ("minimum", "maximum"):
            value = getattr(self, name)
            if value is not None:
                yield from in_range(name, value, -1e18, 1e18)
        if self.beat_production_by is not None:
            yield from in_range("beat_production_by", self.beat_production_by, 0.0, 1e18)
        if self.minimum is None and self.maximum is None and self.beat_production_by is None:
            yield Problem(
                "minimum", "a gate needs a minimum, a maximum or beat_production_by", None, "give at least one"
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield Problem("minimum", f"must not be above maximum ({self.maximum})", self.minimum, "swap them")
