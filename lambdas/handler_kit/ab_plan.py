"""The statistics of an A/B test, fixed before its first request; to change any of it begins a new test."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RATE, MEAN = "rate", "mean"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of which more is better: a share of successes, or the mean of a value between 0 and 1.

    Attributes:
        name: Name in the record and in sentences.
        kind: ``rate`` for outcomes that are a success or not, ``mean`` for values between 0 and 1.
        tolerance: Of a guardrail: how much lower than the champion's the challenger's may be, as a difference.
    """

    name: str
    kind: str = RATE
    tolerance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Prior:
    """On which alternatives the test bets, and how much on each.

    The level holds for any prior that is fixed before the test; the prior decides only how soon a difference is found.

    Attributes:
        smallest_effect: Smallest log odds ratio of the grid.
        largest_effect: Largest log odds ratio of the grid.
        effects: Number of effects on each side of zero, on a geometric grid.
        normal_weight: Weight of a normal distribution of effects; the rest is uniform on the logarithm of the effect.
        normal_scale: Its standard deviation is ``normal_scale / sqrt(w (1 - w) p (1 - p))`` for challenger's share w
            and rate p. 0.04 is tuned to 5,000 outcomes.
        max_standard_deviation: Limit of that standard deviation.
        equal_weight: Weight of "no difference", where the null hypothesis is another than equality.
        bins: Values of a mean are rounded to one of so many, from 0 to 1.
        smallest_bet: Smallest bet on a mean, as a share of the largest that can never lose everything.
        largest_bet: Largest such share.
        bets: Number of bets on each side of zero, on a geometric grid.
        smallest_shift: Smallest log odds ratio between the observed and the stated share in the sample ratio test.
        largest_shift: Largest such log odds ratio.
        shifts: Number of them on each side of zero, on a geometric grid.
    """

    smallest_effect: float = 0.03
    largest_effect: float = 4.0
    effects: int = 36
    normal_weight: float = 0.8
    normal_scale: float = 0.04
    max_standard_deviation: float = 1.5
    equal_weight: float = 0.2
    bins: int = 101
    smallest_bet: float = 0.01
    largest_bet: float = 0.9
    bets: int = 14
    smallest_shift: float = 0.02
    largest_shift: float = 3.0
    shifts: int = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A test as it is written into the record before the first request.

    Attributes:
        metric: What the challenger must improve.
        guardrails: What it must not make worse; each has a tolerance above 0.
        challenger_weight: The challenger's share of the traffic at first, above 0 and below 1.
        level: Probability of a false verdict, for all looks together.
        minimum_sample: Outcomes of both variants before the first look; they also set the first centre.
        minimum_per_variant: Outcomes of each variant before the first look.
        maximum_days: After so many days a test without a verdict ends as inconclusive.
        maturity_window_in_seconds: A request counts when it is older than this, whatever has arrived by then.
        settling_in_seconds: Requests so soon after new weights are live are not counted.
        sample_ratio_level: Level of each sample ratio test.
        reported_level: Level of the test whether both variants' outcomes are reported equally often.
        prior: The bets.
    """

    metric: Metric
    guardrails: tuple[Metric, ...] = ()
    challenger_weight: float
    level: float = 0.05
    minimum_sample: int = 200
    minimum_per_variant: int = 10
    maximum_days: float = 28.0
    maturity_window_in_seconds: float
    settling_in_seconds: float = 60.0
    sample_ratio_level: float = 0.01
    reported_level: float = 0.01
    prior: Prior = Prior()

    def __post_init__(self) -> None:
        """Raise ValueError with everything that is wrong."""
        problems = [*self._wrong_numbers(), *self._wrong_metrics()]
        if problems:
            raise ValueError("; ".join(problems))

    def _wrong_numbers(self) -> Iterator[str]:
        for name in ("challenger_weight", "level", "sample_ratio_level", "reported_level"):
            if not 0.0 < getattr(self, name) < 1.0:
                yield f"{name}: must be above 0 and below 1, got {getattr(self, name)}"
        for name in ("minimum_sample", "minimum_per_variant"):
            if getattr(self, name) < 1:
                yield f"{name}: must be at least 1, got {getattr(self, name)}"
        if not self.maturity_window_in_seconds >= 0.0:
            yield f"maturity_window_in_seconds: must not be negative, got {self.maturity_window_in_seconds}"
        if not self.maximum_days > 0.0:
            yield f"maximum_days: must be above 0, got {self.maximum_days}"

    def _wrong_metrics(self) -> Iterator[str]:
        for metric in self.metrics:
            if metric.kind not in (RATE, MEAN):
                yield f"{metric.name}: kind must be {RATE} or {MEAN}, got {metric.kind!r}"
        for guardrail in self.guardrails:
            if not 0.0 < guardrail.tolerance < 1.0:
                yield f"{guardrail.name}: tolerance must be above 0 and below 1, got {guardrail.tolerance}"
        if len({metric.name for metric in self.metrics}) != len(self.metrics):
            yield "guardrails: every metric must have a name of its own"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metric and the guardrails."""
        return (self.metric, *self.guardrails)

    @property
    def harm_level(self) -> float:
        """Level of each statement of harm: Bonferroni over all of them, as any one aborts the test."""
        return self.level / len(self.metrics)

    def bins(self, metric: Metric) -> int:
        """Return how many different outcomes of a metric are counted."""
        return 2 if metric.kind == RATE else self.prior.bins

    def sha256(self) -> str:
        """Return the digest that the record keeps: equal plans have equal digests."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {**asdict(self), "guardrails": [asdict(guardrail) for guardrail in self.guardrails]}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Plan:
        """Read a plan; what is missing has its default. Raises TypeError or ValueError for a wrong member or value."""
        parts = {
            "metric": Metric(**written["metric"]),
            "guardrails": tuple(Metric(**guardrail) for guardrail in written["guardrails"]),
            "prior": Prior(**written.get("prior", {})),
        }
        return cls(**{**written, **parts})
