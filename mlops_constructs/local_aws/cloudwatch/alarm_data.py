"""The data of an alarm: one metric, or an expression over several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudwatch.alarm_states import MORE_PERIODS
from mlops_constructs.local_aws.cloudwatch.expressions import Series, names_in, work_out
from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.local_aws.cloudwatch.statistics import statistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.service import Params


def period_of(alarm: Params) -> int:
    """Return the period of an alarm in seconds; that of an expression is the one of its metrics."""
    if "Period" in alarm:
        return int(alarm["Period"])
    return max(int(one["MetricStat"]["Period"]) for one in alarm["Metrics"] if "MetricStat" in one)


def points_of(alarm: Params, metrics: Metrics, minute: int) -> list[tuple[float, float | None]]:
    """Return beginning and value of each period of the evaluation range, the newest first.

    CloudWatch evaluates every minute, on the periods that end with this minute:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

    Args:
        alarm: The alarm, as DescribeAlarms returns it.
        metrics: The metrics of the account.
        minute: Minutes since 1970; its data is not part of the range.

    Raises:
        ExpressionError: The expression cannot be worked out.
    """
    period, count = period_of(alarm), alarm["EvaluationPeriods"] + MORE_PERIODS
    end = minute * 60.0
    begins = [end - number * period for number in range(count, 0, -1)]
    if alarm.get("Metrics"):
        found = _expression(alarm["Metrics"], metrics, begins, period)
    else:
        found = _metric(alarm, alarm.get("ExtendedStatistic") or alarm["Statistic"], metrics, begins, period)
    return [(at, found.get(at)) for at in reversed(begins)]


def _metric(metric: Params, stat: str, metrics: Metrics, begins: Sequence[float], period: int) -> Series:
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
    named = Metric.of(metric["Namespace"], metric["MetricName"], dimensions)
    if metric.get("Unit") and metrics.unit(named) != metric["Unit"]:
        return {}
    function = statistic(stat)
    end = begins[-1] + period
    return {at: function(values) for at, values in metrics.periods(named, begins[0], end, period)}


def _expression(queries: Sequence[Params], metrics: Metrics, begins: Sequence[float], period: int) -> Series:
    known: dict[str, Series] = {}
    for query in queries:
        if "MetricStat" in query:
            asked = query["MetricStat"]
            metric = {**asked["Metric"], **({"Unit": asked["Unit"]} if asked.get("Unit") else {})}
            known[query["Id"]] = _metric(metric, asked["Stat"], metrics, begins, period)
    waiting = [query for query in queries if "MetricStat" not in query]
    while waiting:
        ready = [one for one in waiting if not names_in(one["Expression"]) & {other["Id"] for other in waiting}]
        for query in ready or waiting[:1]:
            known[query["Id"]] = work_out(query["Expression"], known, begins)
            waiting.remove(query)
    returned = next(one["Id"] for one in queries if one.get("ReturnData", True))
    return known[returned]
