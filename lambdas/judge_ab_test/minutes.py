"""What CloudWatch has counted of each variant in each minute: requests, server errors, and responses in time.

Only minutes count that lie wholly in a time with known weights and are older than three minutes, when SageMaker has
published them. Smoke tests are invocations too, but only occur while no weights are known. Where users stay at one
variant, these are still requests, as CloudWatch knows no users.

Responses in time are the statistic "trimmed count", ``TC(:<microseconds>)``, of ModelLatency. AWS documents it for any
metric; that SageMaker's ModelLatency has it must be confirmed by a live call. A minute without this value has no
response in time, unless no minute of either variant has it: then nothing is counted.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from judge_ab_test.counts import Observation
from judge_ab_test.maturity import Matured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MINUTE = 60.0
_PUBLISHED_AFTER = 180.0
# CloudWatch keeps minutes for 15 days.
_KEPT_SECONDS = 15 * 86_400.0 - 3_600.0
SERVER_ERRORS, LATENCY = "server_errors", "latency"
OF_CLOUDWATCH = (SERVER_ERRORS, LATENCY)


class Good(NamedTuple):
    """How many of how many were good."""

    good: int
    all: int


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute of one variant.

    Attributes:
        invocations: Requests.
        server_errors: 5XX errors.
        in_time: By limit in milliseconds: responses within it; a limit is missing where CloudWatch does not know.
    """

    invocations: int = 0
    server_errors: int = 0
    in_time: Mapping[int, Good] | None = None

    def good(self, source: Mapping[str, Any]) -> Good | None:
        """Return what a metric counts; None if CloudWatch does not know."""
        if source["measures"] == LATENCY:
            return (self.in_time or {}).get(source["max_latency_ms"])
        return Good(max(0, self.invocations - self.server_errors), self.invocations)


@dataclass(frozen=True)
class Metrics:
    """CloudWatch's metrics of an endpoint.

    Attributes:
        cloudwatch: The client.
        endpoint: Name of the endpoint.
        variants: Names of champion and challenger.
        limits: Limits of the latency, in milliseconds.
    """

    cloudwatch: Any
    endpoint: str
    variants: tuple[str, str]
    limits: Sequence[int]

    def read(self, begin: float, end: float) -> dict[float, tuple[Minute, Minute]]:
        """Return the minutes from ``begin`` to ``end`` that have requests: champion's and challenger's, by begin."""
        begin = max(begin, end - _KEPT_SECONDS)
        if begin >= end:
            return {}
        names = {"invocations": ("Invocations", "Sum"), "errors": ("Invocation5XXErrors", "Sum")}
        if self.limits:
            names["responses"] = ("ModelLatency", "SampleCount")
        names |= {f"within{limit}": ("ModelLatency", f"TC(:{limit * 1000})") for limit in self.limits}
        values = self._values(names, begin, end)
        known = [limit for limit in self.limits if any(values[role, f"within{limit}"] for role in (0, 1))]
        times = {time for series in values.values() for time in series}
        return {time: (_minute(values, 0, time, known), _minute(values, 1, time, known)) for time in sorted(times)}

    def invocations(self, begin: float, end: float) -> Iterator[tuple[float, float, int]]:
        """Yield requests of one variant with the begin and end of their time: a minute, or an hour if they are many."""
        period = int(MINUTE) if end - begin < 86_400.0 else 3_600
        series = self._values({"invocations": ("Invocations", "Sum")}, begin // period * period, end, period).values()
        for one in series:
            yield from ((at, min(at + period, end), round(value)) for at, value in one.items())

    def _values(
        self, names: Mapping[str, tuple[str, str]], begin: float, end: float, period: int = int(MINUTE)
    ) -> dict[tuple[int, str], dict[float, float]]:
        """Return each series of champion (0) and challenger (1)."""
        queries = [
            self._query(f"{name}{role}", variant, metric, statistic, period)
            for role, variant in enumerate(self.variants)
            for name, (metric, statistic) in names.items()
        ]
        found: dict[str, dict[float, float]] = defaultdict(dict)
        pages = self.cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(begin, timezone.utc),
            EndTime=datetime.fromtimestamp(end, timezone.utc),
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                times = (time.timestamp() for time in result["Timestamps"])
                found[result["Id"]].update(zip(times, result["Values"], strict=True))
        return {(role, name): found[f"{name}{role}"] for role in (0, 1) for name in names}

    def _query(self, name: str, variant: str, metric: str, statistic: str, period: int) -> dict[str, Any]:
        dimensions = [{"Name": "EndpointName", "Value": self.endpoint}, {"Name": "VariantName", "Value": variant}]
        described = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
        return {"Id": name, "MetricStat": {"Metric": described, "Period": period, "Stat": statistic}}


def published_until(now: float) -> float:
    """Return the end of the last minute that is old enough to be read."""
    return (now - _PUBLISHED_AFTER) // MINUTE * MINUTE


def matured(
    minutes: Iterable[tuple[float, float, tuple[Minute, Minute]]], source: Mapping[str, Any], seed: str
) -> Matured:
    """Return the outcomes of a metric: a good or a bad one for each request.

    CloudWatch knows no order inside a minute, so chance decides it; the same at each call.

    Args:
        minutes: Begin, challenger's share, and champion and challenger.
        source: What the metric measures.
        seed: Decides the order inside a minute together with its begin.
    """
    outcomes: list[Observation] = []
    for begin, share, variants in minutes:
        found: list[Observation] = []
        for role, variant in enumerate(variants):
            counted = variant.good(source)
            if counted is not None:
                found += [Observation(bool(role), share, 1)] * counted.good
                found += [Observation(bool(role), share, 0)] * (counted.all - counted.good)
        random.Random(f"{seed} {begin:.0f}").shuffle(found)
        outcomes += found
    return Matured(tuple(outcomes), tuple(outcome._replace(bin=1) for outcome in outcomes))


def _minute(
    values: Mapping[tuple[int, str], Mapping[float, float]], role: int, time: float, known: Sequence[int]
) -> Minute:
    def value(name: str) -> int:
        return round(values[role, name].get(time, 0.0))

    in_time = {limit: Good(min(value(f"within{limit}"), value("responses")), value("responses")) for limit in known}
    return Minute(value("invocations"), value("errors"), in_time)
