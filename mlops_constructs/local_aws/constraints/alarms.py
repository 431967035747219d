"""CloudWatch alarms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudwatch.expressions import ExpressionError, names_in
from mlops_constructs.local_aws.cloudwatch.statistics import is_statistic
from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_CALLS = ("cloudwatch:PutMetricAlarm",)
_E = "ValidationError"
_OF_ONE_METRIC = ("Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html
_MAX_METRICS = 10
_ID = re.compile(r"[a-z]\w{0,254}", re.ASCII)
_TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"


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
    return None if _is_period(period) else "Period must be 10, 20, 30 or a multiple of 60"


def _evaluation(params: Params, _: Account) -> str | None:
    period = params.get("Period", 0)
    if params.get("Metrics"):
        period = max((one["MetricStat"]["Period"] for one in params["Metrics"] if "MetricStat" in one), default=0)
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


def _queries(params: Params, _: Account) -> str | None:
    queries = params.get("Metrics") or []
    ids = [query["Id"] for query in queries]
    for query in queries:
        if _ID.fullmatch(query["Id"]) is None:
            return f"The value {query['Id']} for parameter Metrics.member.Id is not matching the pattern"
        if ("MetricStat" in query) == ("Expression" in query):
            return f"Specify either MetricStat or Expression for {query['Id']}, but not both"
        try:
            unknown = names_in(query.get("Expression", "")) - set(ids)
        except ExpressionError as error:
            return str(error)
        if unknown:
            return f"The expression of {query['Id']} names {', '.join(sorted(unknown))}, which is not in Metrics"
    return "The values for parameter Id in Metrics are not unique" if len(set(ids)) < len(ids) else None


def _returned(params: Params, _: Account) -> str | None:
    queries = params.get("Metrics") or []
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    if queries and len(returned) != 1:
        return f"Exactly one element of the metrics list should return data, got {', '.join(returned) or 'none'}"
    metrics = sum("MetricStat" in query for query in queries)
    return f"An alarm can have at most {_MAX_METRICS} metrics, got {metrics}" if metrics > _MAX_METRICS else None


def _query_periods(params: Params, _: Account) -> str | None:
    for query in params.get("Metrics") or []:
        asked = query.get("MetricStat")
        if asked is not None and not _is_period(asked["Period"]):
            return f"Period of {query['Id']} must be 10, 20, 30 or a multiple of 60"
        if asked is not None and not is_statistic(asked["Stat"]):
            return f"The value {asked['Stat']} for Stat of {query['Id']} is not a valid statistic"
    return None


def _extended(params: Params, _: Account) -> str | None:
    name = params.get("ExtendedStatistic")
    if name is not None and (not is_statistic(name) or name[0] in "SAM"):
        return f"The value {name} for parameter ExtendedStatistic is not supported"
    return None


def _treatments(params: Params, _: Account) -> str | None:
    treated = params.get("TreatMissingData", "missing")
    if treated not in _TREATMENTS:
        return f"TreatMissingData must be one of {', '.join(_TREATMENTS)}, got {treated}"
    few = params.get("EvaluateLowSampleCountPercentile", "evaluate")
    if few not in ("evaluate", "ignore"):
        return f"EvaluateLowSampleCountPercentile must be evaluate or ignore, got {few}"
    if "EvaluateLowSampleCountPercentile" in params and "ExtendedStatistic" not in params:
        return "EvaluateLowSampleCountPercentile is for alarms on a percentile only"
    return None


def _threshold(params: Params, _: Account) -> str | None:
    if not params.get("EvaluationCriteria") and "Threshold" not in params and "ThresholdMetricId" not in params:
        return "Threshold is required for an alarm with a static threshold"
    return None


def _is_period(seconds: int) -> bool:
    return seconds in (10, 20, 30) or seconds % 60 == 0


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
    Rule(_CALLS, _E, "Metrics.Id, Expression, MetricStat: as in MetricDataQuery of GetMetricData.", _queries),
    Rule(_CALLS, _E, "Metrics: One item is the expression that the alarm watches, with ReturnData true.", _returned),
    Rule(_CALLS, _E, "MetricStat.Period, Stat: as those of an alarm on one metric.", _query_periods),
    Rule(_CALLS, _E, "ExtendedStatistic: The percentile statistic, a value between p0.0 and p100.", _extended),
    Rule(_CALLS, _E, f"{_ALARMS}: TreatMissingData, EvaluateLowSampleCountPercentile", _treatments),
    Rule(_CALLS, _E, "Threshold: This parameter is required for alarms based on static thresholds.", _threshold),
    Rule(_CALLS, _E, "Dimension.Name: ASCII characters, cannot start with a colon (:).", _dimensions),
)
