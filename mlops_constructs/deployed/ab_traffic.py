"""Requests, errors and latency of each variant, from CloudWatch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .clients import explained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .clients import Clients

_NAMESPACE = "AWS/SageMaker"
_DAY = 86_400
# How old data may be for each period, in seconds:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
_PERIODS = ((15 * _DAY, 60), (63 * _DAY, 300))
_COARSEST = 3600
_MAX_PERIOD = 30 * _DAY
_SUMS = {"requests": "Invocations", "errors_4xx": "Invocation4XXErrors", "errors_5xx": "Invocation5XXErrors"}
_PERCENTILES = ("p50", "p90", "p99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a variant has received.

    Attributes:
        requests: Invocations.
        errors_4xx: Those that were answered with a 4XX status.
        errors_5xx: Those that were answered with a 5XX status.
        latency_ms: Model latency in milliseconds by percentile. CloudWatch has no percentiles over several of its
            periods: they are then the mean of the periods, weighted by requests.
    """

    requests: int
    errors_4xx: int
    errors_5xx: int
    latency_ms: Mapping[str, float]


def traffic_of(
    client: Clients, endpoint: str, variants: Sequence[str], since: float, until: float
) -> dict[str, Traffic]:
    """Return the traffic of variants between two times, in seconds since 1970, the minutes of both included."""
    start, end, period = window(since, until)
    queries = [query for number, name in enumerate(variants) for query in _queries(number, endpoint, name, period)]
    values: dict[str, list[float]] = {}
    with explained(f"the metrics of {endpoint} could not be read"):
        pages = client("cloudwatch").get_paginator("get_metric_data")
        for page in pages.paginate(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(start, timezone.utc),
            EndTime=datetime.fromtimestamp(end, timezone.utc),
            ScanBy="TimestampAscending",
        ):
            for result in page["MetricDataResults"]:
                values.setdefault(result["Id"], []).extend(result["Values"])
    return {variant: _traffic(number, values) for number, variant in enumerate(variants)}


def window(since: float, until: float) -> tuple[int, int, int]:
    """Return start, end and period in seconds: one period over all of the time, as far as CloudWatch can."""
    unit = next((period for age, period in _PERIODS if until - since < age), _COARSEST)
    start, end = math.floor(since / unit) * unit, math.ceil(until / unit) * unit
    end = max(end, start + unit)
    return start, end, min(end - start, _MAX_PERIOD // unit * unit)


def _queries(number: int, endpoint: str, variant: str, period: int) -> list[dict[str, Any]]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]

    def query(name: str, metric: str, statistic: str) -> dict[str, Any]:
        what = {"Namespace": _NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
        return {"Id": f"{name}_{number}", "MetricStat": {"Metric": what, "Period": period, "Stat": statistic}}

    return [
        *(query(name, metric, "Sum") for name, metric in _SUMS.items()),
        query("samples", "ModelLatency", "SampleCount"),
        *(query(percentile, "ModelLatency", percentile) for percentile in _PERCENTILES),
    ]


def _traffic(number: int, values: Mapping[str, list[float]]) -> Traffic:
    sums = {name: round(sum(values.get(f"{name}_{number}", []))) for name in _SUMS}
    samples, latency = values.get(f"samples_{number}", []), {}
    for percentile in _PERCENTILES:
        found = values.get(f"{percentile}_{number}", [])
        if found and len(found) == len(samples) and sum(samples):
            weighted = sum(value * count for value, count in zip(found, samples, strict=True))
            latency[percentile] = weighted / sum(samples) / 1000
    return Traffic(**sums, latency_ms=latency)
