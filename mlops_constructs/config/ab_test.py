"""A/B tests: a release becomes a challenger beside the champion, and statistics say which one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Problem, under
from ._part import Part
from ._rules import boolean, in_range, matches, one_of
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .endpoint import Endpoint

_OF_OUTCOMES = ("accuracy", "success", "value")
_OF_CLOUDWATCH = ("server_errors", "latency")
_NAMES = {"server_errors": "no_server_error", "latency": "in_time"}
# https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
_WITHOUT_GUARDRAILS = "ml.inf1."


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
            yield Problem("high", f"must be above low ({self.low:g})", self.high, "increase it")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StickyUsers(Part):
    """Users stay at one variant, and the unit of the statistics is a user: did any request of a user fail?

    Callers choose the variant with ``mlops_constructs.deployed.sticky``.

    Attributes:
        horizon_in_hours: How long a user is observed after the first request, 0.01 to 2,160 hours. Literal.
    """

    horizon_in_hours: float = 24.0

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("horizon_in_hours", self.horizon_in_hours, 0.01, 2160.0, "hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class ABTest(Part):
    """Every release becomes a challenger beside the champion, with a share of the traffic, until one is chosen.

    ``mlops ab status | shift | ramp | promote | abort`` operate it; docs/ab_tests.md explains the statistics. All of it
    is written into the record of a test before its first request: a changed argument is used from the next test on.

    Attributes:
        challenger_weight: Challenger's share of the traffic at first, 0.001 to 0.999. Literal.
        metric: What the challenger must improve.
        guardrails: What it must not make worse. It is promoted only if each is shown to be no worse by its tolerance.
            Literals.
        level: Probability of a false verdict, for all looks together, 0.0001 to 0.2. Literal.
        minimum_sample: Outcomes of both variants before the first look, 20 to 1,000,000. Literal.
        maximum_days: After so many days, 0.01 to 365, a test without a verdict is inconclusive. Literal.
        maturity_window_in_hours: A request counts when it is older than this, 0 to 2,160 hours, whatever has been
            reported by then: the longest delay of an outcome, and at least the minutes of data capture. Literal.
        sticky: Users stay at one variant, or None to choose a variant for each request.
        guard: Whether a function looks at the test and, if the challenger is shown to be worse in any metric, takes
            its traffic away. It can do nothing else; it never promotes. Literal.
        looks_every_minutes: How often it looks, and writes the report, 5 to 1,440 minutes. Literal.
    """

    challenger_weight: float = 0.1
    metric: ABMetric = field(default_factory=ABMetric)
    guardrails: Sequence[ABMetric] = ()
    level: float = 0.05
    minimum_sample: int = 200
    maximum_days: float = 28.0
    maturity_window_in_hours: float = 24.0
    sticky: StickyUsers | None = None
    guard: bool = False
    looks_every_minutes: int = 60

    @property
    def metrics(self) -> tuple[ABMetric, ...]:
        """The metric and the guardrails."""
        return (self.metric, *self.guardrails)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("challenger_weight", self.challenger_weight, 0.001, 0.999)
        yield from under("metric", self.metric.problems())
        for index, guardrail in enumerate(self.guardrails):
            yield from under(f"guardrails[{index}]", guardrail.problems())
        names = [metric.title for metric in self.metrics]
        if not is_token(names) and len(set(names)) != len(names):
            yield Problem("guardrails", "every metric must have a name of its own", names, "give each a name")
        yield from in_range("level", self.level, 0.0001, 0.2)
        yield from in_range("minimum_sample", self.minimum_sample, 20, 1_000_000, "outcomes")
        yield from in_range("maximum_days", self.maximum_days, 0.01, 365.0, "days")
        yield from in_range("maturity_window_in_hours", self.maturity_window_in_hours, 0.0, 2160.0, "hours")
        window = self.maturity_window_in_hours
        if not is_token(window) and window == 0 and any(metric.needs_outcomes for metric in self.metrics):
            rule = "must be above 0 where outcomes are reported: all of them come after their requests"
            yield Problem("maturity_window_in_hours", rule, window, "give the longest delay of an outcome")
        if self.sticky is not None:
            yield from under("sticky", self.sticky.problems())
        yield from boolean("guard", self.guard)
        yield from in_range("looks_every_minutes", self.looks_every_minutes, 5, 1440, "minutes")

    def problems_with(self, production: Endpoint) -> Iterator[Problem]:
        """Yield what does not fit the production endpoint."""
        if production.data_capture is None and any(metric.needs_outcomes for metric in self.metrics):
            yield Problem(
                "ab_test.metric",
                "needs production.data_capture: outcomes are joined with captured requests",
                self.metric.title,
                "give production a DataCapture, or use ABMetric.server_errors() or ABMetric.latency(...)",
            )
        if production.instance_type.startswith(_WITHOUT_GUARDRAILS) and not is_token(production.instance_type):
            yield Problem(
                "production.instance_type",
                "SageMaker deploys to Inf1 without canary and alarms, on which an A/B test relies",
                production.instance_type,
                "use another type, such as 'ml.inf2.xlarge', or two pipelines with an endpoint each",
            )

    def plan(self) -> dict[str, Any]:
        """Return what a test is begun with; PlaceVariants adds what has a default there."""
        seconds = 3600.0
        horizon = None if self.sticky is None else self.sticky.horizon_in_hours * seconds
        return {
            "statistics": {
                "metric": self.metric.statistic(),
                "guardrails": [guardrail.statistic() for guardrail in self.guardrails],
                "challenger_weight": self.challenger_weight,
                "level": self.level,
                "minimum_sample": self.minimum_sample,
                "maximum_days": self.maximum_days,
                "maturity_window_in_seconds": self.maturity_window_in_hours * seconds,
            },
            "sources": {metric.title: metric.source() for metric in self.metrics},
            "sticky_horizon_in_seconds": horizon,
            "guard": self.guard,
        }
