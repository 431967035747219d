"""CloudWatch alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_CALLS = ("cloudwatch:PutMetricAlarm",)
_E = "ValidationError"
_OF_ONE_METRIC = ("Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800


def _metric(params: Params, _: Account) -> str | None:
    given = [name for name in ("MetricName", "Metrics", "EvaluationCriteria") if params.get(name)]
    return None if len(given) == 1 else "Specify exactly one of MetricName, Metrics and EvaluationCriteria"


def _metrics(params: Params, _: Account) -> str | None:
    others = [name for name in _OF_ONE_METRIC if params.get(name)]
    return f"{', '.join(others)} cannot be given together with Metrics" if params.get("Metrics") and others else None


def _statistic(params: Params, _: Account) -> str | None:
    if params.get("MetricName") and ("Statistic" in params) == ("ExtendedStatistic" in params):
        return "Specify either Statistic or ExtendedStatistic, but not both"
    return None


def _period(params: Params, _: Account) -> str | None:
    period = params.get("Period")
    if period is None:
        return "Period is required for an alarm on a metric" if params.get("MetricName") else None
    return None if period in (10, 20, 30) or period % 60 == 0 else "Period must be 10, 20, 30 or a multiple of 60"


def _evaluation(params: Params, _: Account) -> str | None:
    period = params.get("Period", 0)
    total = period * params.get("EvaluationPeriods", 0)
    limit = _DAY if period < _HOUR else _WEEK
    if total > limit:
        return f"Metrics cannot be checked across more than {limit} seconds (EvaluationPeriods * Period), got {total}"
    return None


def _datapoints(params: Params, _: Account) -> str | None:
    datapoints, periods = params.get("DatapointsToAlarm"), params.get("EvaluationPeriods")
    if datapoints is not None and periods is not None and datapoints > periods:
        return f"DatapointsToAlarm {datapoints} must be less than or equal to EvaluationPeriods {periods}"
    return None


def _dimensions(params: Params, _: Account) -> str | None:
    for dimension in params.get("Dimensions", []):
        name = dimension["Name"]
        if name.startswith(":") or not name.strip() or not name.isascii():
            return f"The dimension name {name!r} must be ASCII, not blank, and not start with a colon"
    return None


RULES = (
    Rule(_CALLS, _E, "MetricName: either MetricName, a Metrics array, or an EvaluationCriteria.", _metric),
    Rule(_CALLS, _E, "Metrics: you cannot include the parameters of one metric in the same operation.", _metrics),
    Rule(_CALLS, _E, "Statistic: you must specify either Statistic or ExtendedStatistic, but not both.", _statistic),
    Rule(_CALLS, _E, "Period: Valid values are 10, 20, 30, and any multiple of 60.", _period),
    Rule(_CALLS, _E, "Period: Period multiplied by EvaluationPeriods can't be more than 604,800 seconds.", _evaluation),
    Rule(
        _CALLS,
        _E,
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html: M out of N",
        _datapoints,
    ),
    Rule(_CALLS, _E, "Dimension.Name: ASCII characters, cannot start with a colon (:).", _dimensions),
)
