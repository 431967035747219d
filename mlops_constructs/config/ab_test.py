"""A/B tests: a release becomes a challenger beside the champion, and statistics say which one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Problem, under
from ._part import Part
from ._rules import boolean, in_range
from ._tokens import is_token
from .ab_metric import ABMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .endpoint import Endpoint

# https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
_WITHOUT_GUARDRAILS = "ml.inf1."


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
            yield from self._unit_problems()
        yield from boolean("guard", self.guard)
        yield from in_range("looks_every_minutes", self.looks_every_minutes, 5, 1440, "minutes")

    def _unit_problems(self) -> Iterator[Problem]:
        """CloudWatch counts requests: many requests of one user are not independent, so no level would hold."""
        for place, metric in [
            ("metric", self.metric),
            *((f"guardrails[{n}]", g) for n, g in enumerate(self.guardrails)),
        ]:
            if not metric.needs_outcomes and not is_token(metric.measures):
                yield Problem(
                    place,
                    "must be read from outcomes with sticky users: CloudWatch counts requests, and not users",
                    metric.measures,
                    "use ABMetric.success(...) with outcomes that your application reports",
                )

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
