"""Requests that read and publish CloudWatch's metrics."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudwatch.statistics import is_statistic
from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_DATA, _STATISTICS = ("cloudwatch:GetMetricData",), ("cloudwatch:GetMetricStatistics",)
_E, _VALUE, _COMBINATION = "ValidationError", "InvalidParameterValue", "InvalidParameterCombination"
_PUT = ("cloudwatch:PutMetricData",)
_MAX_DATA, _TWO_WEEKS, _TWO_HOURS = 1_000, 14 * 86_400, 7_200
_MAX_QUERIES, _MAX_DATAPOINTS, _MAX_STATISTICS = 500, 100_800, 1_440
_SHORT_PERIODS = (1, 5, 10, 20, 30)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


def _times(params: Params, _: Account) -> str | None:
    start, end = (params[name].replace(microsecond=0) for name in ("StartTime", "EndTime"))
    if start == end:
        return "The parameter StartTime must not equal parameter EndTime."
    return "The parameter StartTime must be less than the parameter EndTime." if start > end else None


def _period(params: Params, _: Account) -> str | None:
    return None if _is_period(params["Period"]) else "The parameter Period must be a multiple of 60."


def _is_period(seconds: int) -> bool:
    return seconds in _SHORT_PERIODS or seconds % 60 == 0


def _one_kind(params: Params, _: Account) -> str | None:
    if bool(params.get("Statistics")) == bool(params.get("ExtendedStatistics")):
        return "Must specify either Statistics or ExtendedStatistics"
    return None


def _extended(params: Params, _: Account) -> str | None:
    for number, name in enumerate(params.get("ExtendedStatistics", []), start=1):
        if not is_statistic(name) or name[0] in "SAM":
            return f"The value {name} for parameter ExtendedStatistics.member.{number} is not supported."
    return None


def _datapoints(params: Params, _: Account) -> str | None:
    seconds = (params["EndTime"] - params["StartTime"]).total_seconds()
    asked = int(seconds // params["Period"])
    if asked <= _MAX_STATISTICS:
        return None
    return (
        f"You have requested up to {asked} datapoints, which exceeds the limit of {_MAX_STATISTICS}. You may reduce "
        "the datapoints requested by increasing Period, or decreasing the time range."
    )


def _size(params: Params, _: Account) -> str | None:
    if len(params["MetricDataQueries"]) > _MAX_QUERIES:
        return f"The collection MetricDataQueries must not have a size greater than {_MAX_QUERIES}."
    return None


def _ids(params: Params, _: Account) -> str | None:
    ids = [query["Id"] for query in params["MetricDataQueries"]]
    for number, name in enumerate(ids, start=1):
        if _ID.fullmatch(name) is None:
            return f"The value {name} for parameter MetricDataQueries.member.{number}.Id is not matching the pattern."
    return "The values for parameter Id in MetricDataQueries are not unique." if len(set(ids)) < len(ids) else None


def _queries(params: Params, _: Account) -> str | None:
    for member, query in _members(params):
        if ("MetricStat" in query) == ("Expression" in query):
            return f"Specify either {member}.MetricStat or {member}.Expression, but not both."
    return None


def _statistic(params: Params, _: Account) -> str | None:
    wrong = [
        f"The value {query['MetricStat']['Stat']} for parameter {member}.MetricStat.Stat is not a valid statistic."
        for member, query in _members(params)
        if "MetricStat" in query and not is_statistic(query["MetricStat"]["Stat"])
    ]
    return "\n".join(wrong) if wrong else None


def _periods(params: Params, _: Account) -> str | None:
    for member, query in _members(params):
        if "MetricStat" in query and not _is_period(query["MetricStat"]["Period"]):
            return f"The parameter {member}.MetricStat.Period must be a multiple of 60."
    return None


def _limit(params: Params, _: Account) -> str | None:
    limit = params.get("MaxDatapoints", _MAX_DATAPOINTS)
    return None if 1 <= limit <= _MAX_DATAPOINTS else f"MaxDatapoints must be 1 to {_MAX_DATAPOINTS}, got {limit}."


def _namespace(params: Params, _: Account) -> str | None:
    name = params["Namespace"]
    return f"The value {name} for parameter Namespace is invalid." if name.startswith("AWS/") else None


def _data(params: Params, account: Account) -> str | None:
    data, now = params["MetricData"], account.clock.time()
    if len(data) > _MAX_DATA:
        return f"The collection MetricData must not have a size greater than {_MAX_DATA}."
    for number, datum in enumerate(data, start=1):
        member = f"MetricData.member.{number}"
        given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
        if len(given) != 1:
            return (
                f"One of the parameters {member}.Value, {member}.StatisticValues or {member}.Values must be specified."
            )
        if "Counts" in datum and len(datum["Counts"]) != len(datum.get("Values", [])):
            return f"The parameters {member}.Values and {member}.Counts must be of the same size."
        if any(not math.isfinite(value) for value in [datum.get("Value", 0), *datum.get("Values", [])]):
            return f"The value NaN or Infinity for parameter {member}.Value is invalid."
        at = datum["Timestamp"].timestamp() if "Timestamp" in datum else now
        if not now - _TWO_WEEKS <= at <= now + _TWO_HOURS:
            return f"The parameter {member}.Timestamp must be within the last two weeks or the next two hours."
    return None


def _members(params: Params) -> Iterator[tuple[str, Params]]:
    for number, query in enumerate(params["MetricDataQueries"], start=1):
        yield f"MetricDataQueries.member.{number}", query


_TIMES = "https://github.com/influxdata/telegraf/issues/2022, https://github.com/elastic/beats/issues/32687"
_PERIOD = "Period: 1, 5, 10, 20, 30, 60, or any multiple of 60."

RULES = (
    Rule(_DATA, _E, _TIMES, _times),
    Rule(_DATA, _E, "A single GetMetricData call can include as many as 500 MetricDataQuery structures.", _size),
    Rule(_DATA, _E, "Id: letters, numbers, and underscore; the first is a lowercase letter; must be unique.", _ids),
    Rule(_DATA, _E, "You must specify either Expression or MetricStat but not both.", _queries),
    Rule(_DATA, _E, "https://github.com/prometheus-community/yet-another-cloudwatch-exporter/issues/385", _statistic),
    Rule(_DATA, _E, _PERIOD, _periods),
    Rule(_DATA, _E, "MaxDatapoints: If you omit this, the default of 100,800 is used.", _limit),
    Rule(_PUT, _VALUE, "Namespace: you can specify custom namespaces that do not begin with AWS/.", _namespace),
    Rule(
        _PUT, _VALUE, "MetricData: 1,000 metrics; two weeks in the past, two hours ahead; NaN is not supported.", _data
    ),
    Rule(_STATISTICS, _VALUE, _TIMES, _times),
    Rule(_STATISTICS, _VALUE, _PERIOD, _period),
    Rule(
        _STATISTICS,
        _COMBINATION,
        "Statistics: you must specify either Statistics or ExtendedStatistics, but not both.",
        _one_kind,
    ),
    Rule(_STATISTICS, _VALUE, "ExtendedStatistics: Specify values between p0.0 and p100.", _extended),
    Rule(_STATISTICS, _COMBINATION, "https://github.com/cloud-custodian/cloud-custodian/issues/7683", _datapoints),
)
