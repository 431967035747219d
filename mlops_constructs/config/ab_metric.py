"""What an A/B test measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Problem
from ._part import Part
from ._rules import in_range, matches, one_of
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_OUTCOMES = ("accuracy", "success", "value")
_OF_CLOUDWATCH = ("server_errors", "latency")
_NAMES = {"server_errors": "no_server_error", "latency": "in_time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ABMetric(Part):
    """What an A/B test measures; more is always better. Use one of the class methods.

    Attributes:
        name: Name in the record, in commands and in sentences: letters, digits, ``_`` and ``-``. None for the usual
            one. Literal.
        measures: ``accuracy``, ``success`` and ``value`` are read from reported outcomes, ``server_errors`` and
            ``latency`` from CloudWatch. Literal.
        tolerance: Of a guardrail: how much lower than the champion's the challenger's may be, as a difference,
            above 0 and below 1. Ignored for the metric of the test. Literal.
        absolute_tolerance: For ``accuracy``: how far a right number may be from the outcome. Literal.
        relative_tolerance: For ``accuracy``: the same as a share of the outcome. Literal.
        low: For ``value``: the value that counts as 0; lower ones count as it. Literal.
        high: For ``value``: the value that counts as 1; higher ones count as it. Literal.
        max_latency_ms: For ``latency``: the time in milliseconds within which a response is in time. Literal.
    """

    name: str | None = None
    measures: Literal["accuracy", "success", "value", "server_errors", "latency"] = "accuracy"
    tolerance: float = 0.01
    absolute_tolerance: float = 0.0
    relative_tolerance: float = 0.0
    low: float = 0.0
    high: float = 1.0
    max_latency_ms: int = 1000

    @classmethod
    def accuracy(
        cls,
        *,
        name: str | None = None,
        tolerance: float = 0.01,
        absolute_tolerance: float = 0.0,
        relative_tolerance: float = 0.0,
    ) -> ABMetric:
        """Share of requests whose prediction equals the outcome that is reported later.

        A number is right within ``absolute_tolerance`` or ``relative_tolerance``.
        """
        return cls(
            name=name,
            measures="accuracy",
            tolerance=tolerance,
            absolute_tolerance=absolute_tolerance,
            relative_tolerance=relative_tolerance,
        )

    @classmethod
    def success(cls, *, name: str | None = None, tolerance: float = 0.01) -> ABMetric:
        """Share of requests whose outcome is 1 or ``true``, such as an offer that was accepted."""
        return cls(name=name, measures="success", tolerance=tolerance)

    @classmethod
    def value(
        cls, *, low: float = 0.0, high: float = 1.0, name: str | None = None, tolerance: float = 0.01
    ) -> ABMetric:
        """Mean of a number that is reported as the outcome, from ``low`` (counts as 0) to ``high`` (counts as 1)."""
        return cls(name=name, measures="value", low=low, high=high, tolerance=tolerance)

    @classmethod
    def server_errors(cls, *, name: str | None = None, tolerance: float = 0.01) -> ABMetric:
        """Share of requests without a 5XX error, from CloudWatch; no outcomes are needed."""
        return cls(name=name, measures="server_errors", tolerance=tolerance)

    @classmethod
    def latency(cls, *, max_latency_ms: int = 1000, name: str | None = None, tolerance: float = 0.01) -> ABMetric:
        """Share of requests that the model answers within ``max_latency_ms``, from CloudWatch."""
        return cls(name=name, measures="latency", max_latency_ms=max_latency_ms, tolerance=tolerance)

    @property
    def needs_outcomes(self) -> bool:
        """Whether outcomes must be reported for it."""
        return self.measures in _OF_OUTCOMES

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        rule = "must be 1 to 40 letters, digits, '_' and '-', and begin with a letter"
        if self.name is not None:
            yield from matches("name", self.name, r"[A-Za-z][A-Za-z0-9_-]{0,39}", rule, "rename it")
        yield from one_of("measures", self.measures, (*_OF_OUTCOMES, *_OF_CLOUDWATCH))
        yield from in_range("tolerance", self.tolerance, 0.0001, 0.9999)
        yield from in_range("absolute_tolerance", self.absolute_tolerance, 0.0, 1e18)
        yield from in_range("relative_tolerance", self.relative_tolerance, 0.0, 1e18)
        yield from in_range("low", self.low, -1e18, 1e18)
        yield from in_range("high", self.high, -1e18, 1e18)
        if not is_token([self.low, self.high]) and not self.low < self.high:
            yield Problem("high", f"must be above low ({self.low})", self.high, "increase it")
        yield from in_range("max_latency_ms", self.max_latency_ms, 1, 60_000, "ms")

    @property
    def title(self) -> str:
        """Its name, or the usual one."""
        return _NAMES.get(self.measures, self.measures) if self.name is None else self.name

    def statistic(self) -> dict[str, Any]:
        """Return the metric as the statistics see it."""
        return {"name": self.title, "kind": "mean" if self.measures == "value" else "rate", "tolerance": self.tolerance}

    def source(self) -> dict[str, Any]:
        """Return where its outcomes come from."""
        options: dict[str, dict[str, Any]] = {
            "accuracy": {
                "absolute_tolerance": self.absolute_tolerance,
                "relative_tolerance": self.relative_tolerance,
            },
            "value": {"low": self.low, "high": self.high},
            "latency": {"max_latency_ms": self.max_latency_ms},
        }
        return {"measures": self.measures, **options.get(self.measures, {})}
