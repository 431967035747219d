"""The alarms of the production endpoint, as plain data.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...config import Alarms
    from ...config.serving import Mode

PERIOD_SECONDS = 300
_MINUTES = PERIOD_SECONDS // 60


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAlarm:
    """An alarm on a value that counts only when there were enough requests.

    Attributes:
        id_: Construct id.
        name: Its name.
        description: What it means, and which commands say more.
        metric: Metric of the endpoint that is looked at.
        stat: Statistic of the metric.
        label: Name of the value.
        expression: The value, computed from ``measured`` and ``requests``.
        threshold: The alarm rings above it.
        periods: Number of periods that are looked at.
        datapoints: Number of periods among them with a value above the threshold.
    """

    id_: str
    name: str
    description: str
    metric: str
    stat: str
    label: str
    expression: str
    threshold: float
    periods: int = 1
    datapoints: int = 1


def endpoint_alarms(
    config: Alarms, pipeline: str, variants: Sequence[str], mode: Mode
) -> Iterator[tuple[str, EndpointAlarm]]:
    """Yield each variant with each of its alarms; an asynchronous endpoint has none on latency."""
    for variant in variants:
        if config.max_server_error_percent is not None:
            yield variant, _errors(config, pipeline, variant, "server", "5XX", config.max_server_error_percent)
        if config.max_client_error_percent is not None:
            yield variant, _errors(config, pipeline, variant, "client", "4XX", config.max_client_error_percent)
        if config.max_latency_ms is not None and mode != "asynchronous":
            yield variant, _latency(config, pipeline, variant, config.max_latency_ms)


def _errors(config: Alarms, pipeline: str, variant: str, whose: str, kind: str, limit: float) -> EndpointAlarm:
    act = (
        f"`mlops logs {pipeline} production` shows the container's log, `mlops releases {pipeline}` what changed last,"
        f" and `mlops rollback {pipeline} N` releases an earlier model."
        if whose == "server"
        else f"The application sends what the model does not read: `mlops invoke {pipeline}` with one of its records"
        " says why."
    )
    return EndpointAlarm(
        id_=f"{whose}_errors_{variant}",
        name=f"{pipeline}-{whose}-errors-{variant}",
        description=f"More than {limit:g} % of the requests to the production endpoint of {pipeline}, variant"
        f" {variant}, ended in a {kind} error within {_MINUTES} minutes. {act}",
        metric=f"Invocation{kind}Errors",
        stat="Sum",
        label=f"{kind} errors, percent of the requests",
        # A period without errors may have no error metric; with few requests, a rate says nothing.
        expression=f"IF(requests >= {config.min_requests}, 100 * FILL(measured, 0) / requests, 0)",
        threshold=limit,
    )


def _latency(config: Alarms, pipeline: str, variant: str, limit: int) -> EndpointAlarm:
    return EndpointAlarm(
        id_=f"slow_responses_{variant}",
        name=f"{pipeline}-slow-responses-{variant}",
        description=f"One in a hundred requests to the production endpoint of {pipeline}, variant {variant}, takes the"
        f" model longer than {limit} ms, in two of the last three periods of {_MINUTES} minutes. The dashboard shows"
        f" whether the load or a release changed; `mlops releases {pipeline}` lists the releases, `mlops rollback"
        f" {pipeline} N` releases an earlier model.",
        metric="ModelLatency",
        stat="p99",
        label="Latency that 99 percent of the requests do not exceed, ms",
        # The metric is in microseconds. The percentile of a few requests is their maximum.
        expression=f"IF(requests >= {config.min_requests}, measured / 1000, 0)",
        threshold=limit,
        periods=3,
        datapoints=2,
    )
