"""CloudWatch's operations on metrics: those of AWS's services, and those that the account publishes itself."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.cloudwatch.alarms import AlarmsService
from mlops_constructs.local_aws.cloudwatch.expressions import ExpressionError, Series, work_out
from mlops_constructs.local_aws.cloudwatch.metrics import Metric, Metrics
from mlops_constructs.local_aws.cloudwatch.pages import Point, Result, page_of
from mlops_constructs.local_aws.cloudwatch.statistics import statistic
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_constructs.local_aws.account import Account

_PAGE = 500
_THREE_HOURS = 3 * 3_600.0
_MAX_DATAPOINTS = 100_800
_OLDEST_FIRST = "TimestampAscending"


class CloudWatchService(Service):
    """Reads and publishes metrics.

    Attributes:
        metrics: What was published.
        alarms: Evaluates the alarms.
    """

    service_name: ClassVar[str] = "cloudwatch"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.metrics = Metrics()
        self.alarms = AlarmsService(account, self.metrics)

    def put_metric_data(self, params: Params) -> Params:
        """Publish custom metrics."""
        now = self.account.clock.time()
        for datum in params["MetricData"]:
            at = datum["Timestamp"].timestamp() if "Timestamp" in datum else now
            metric, unit = _metric({**datum, "Namespace": params["Namespace"]}), datum.get("Unit", "None")
            self.metrics.publish([(metric, unit, value) for value in _values(datum)], at)
        return {}

    def get_metric_statistics(self, params: Params) -> Params:
        """Statistics of one metric."""
        metric = _metric(params)
        _check_period("InvalidParameterValue", "Period", params["Period"])
        names, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
        functions = {name: statistic(name) for name in (*names, *extended)}
        unit = self.metrics.unit(metric)
        points = []
        if params.get("Unit", unit) == unit:
            start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
            for at, values in self.metrics.periods(metric, start, end, params["Period"]):
                point: Params = {"Timestamp": _time(at), "Unit": unit}
                point |= {name: functions[name](values) for name in names}
                if extended:
                    point["ExtendedStatistics"] = {name: functions[name](values) for name in extended}
                points.append(point)
        return {"Label": params["MetricName"], "Datapoints": points}

    def get_metric_data(self, params: Params) -> Params:
        """Statistics of several metrics, and expressions over them, by pages of MaxDatapoints."""
        queries = params["MetricDataQueries"]
        for number, query in enumerate(queries, start=1):
            if "MetricStat" in query:
                member = f"MetricDataQueries.member.{number}.MetricStat.Period"
                _check_period("ValidationError", member, query["MetricStat"]["Period"])
        start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
        known = {one["Id"]: self._series(one, start, end) for one in queries if "MetricStat" in one}
        oldest_first = params.get("ScanBy") == _OLDEST_FIRST
        shown = [
            _result(query, _worked_out(query, queries, known, start, end), oldest_first)
            for query in queries
            if query.get("ReturnData", True)
        ]
        limit = params.get("MaxDatapoints", _MAX_DATAPOINTS)
        return page_of(shown, limit, params.get("NextToken"), oldest_first=oldest_first)

    def list_metrics(self, params: Params) -> Params:
        """The metrics by namespace, name and dimensions, in pages of 500."""
        found = [_described(metric) for metric, last in self.metrics.known().items() if _matches(metric, last, params)]
        token = params.get("NextToken", "0")
        if not token.isdecimal() or int(token) > len(found):
            raise AwsError("InvalidParameterValue", "Request parameter NextToken is invalid")
        begin = int(token)
        page: Params = {"Metrics": found[begin : begin + _PAGE]}
        return page | ({"NextToken": str(begin + _PAGE)} if begin + _PAGE < len(found) else {})

    def _series(self, query: Params, start: float, end: float) -> Series:
        asked = query["MetricStat"]
        metric, function = _metric(asked["Metric"]), statistic(asked["Stat"])
        unit = self.metrics.unit(metric)
        if asked.get("Unit", unit) != unit:
            return {}
        return {at: function(values) for at, values in self.metrics.periods(metric, start, end, asked["Period"])}


def _worked_out(
    query: Params, queries: Sequence[Params], known: Mapping[str, Series], start: float, end: float
) -> Series:
    """The data of a query; an expression may name metrics only, whose periods must be equal."""
    if "Expression" not in query:
        return known[query["Id"]]
    periods = {one["MetricStat"]["Period"] for one in queries if "MetricStat" in one}
    if len(periods) != 1:
        raise AwsError("NotImplementedException", "the local AWS implements expressions over one period only", 501)
    first, period = int(start // 60) * 60.0, periods.pop()
    begins = [first + number * period for number in range(max(0, math.ceil((end - first) / period)))]
    try:
        return work_out(query["Expression"], known, begins)
    except ExpressionError as error:
        raise AwsError("NotImplementedException", str(error), 501) from None


def _result(query: Params, series: Series, oldest_first: bool) -> Result:
    name: str = query["Id"] if "Expression" in query else query["MetricStat"]["Metric"]["MetricName"]
    points = [Point(at, value) for at, value in sorted(series.items(), reverse=not oldest_first)]
    return Result(query["Id"], query.get("Label", name), points)


def _metric(params: Params) -> Metric:
    dimensions = {one["Name"]: one["Value"] for one in params.get("Dimensions", [])}
    return Metric.of(params["Namespace"], params["MetricName"], dimensions)


def _values(datum: Params) -> list[float]:
    """Every value of a datum, as often as it counts."""
    if "StatisticValues" in datum or datum.get("StorageResolution", 60) != 60:
        raise AwsError(
            "NotImplementedException", "the local AWS implements neither StatisticValues nor high resolution", 501
        )
    if "Value" in datum:
        return [datum["Value"]]
    counts = datum.get("Counts", [1.0] * len(datum["Values"]))
    return [value for value, count in zip(datum["Values"], counts, strict=True) for _ in range(int(count))]


def _check_period(code: str, member: str, seconds: int) -> None:
    """The metrics have regular resolution, for which Period "must be a multiple of 60"."""
    if seconds % 60:
        raise AwsError(code, f"The parameter {member} must be a multiple of 60.")


def _matches(metric: Metric, last: float, params: Params) -> bool:
    if params.get("Namespace", metric.namespace) != metric.namespace:
        return False
    if params.get("MetricName", metric.name) != metric.name:
        return False
    if "RecentlyActive" in params and last < utc_now().timestamp() - _THREE_HOURS:
        return False
    dimensions: dict[str, Any] = dict(metric.dimensions)
    wanted = params.get("Dimensions", [])
    return all(
        one["Name"] in dimensions and one.get("Value", dimensions[one["Name"]]) == dimensions[one["Name"]]
        for one in wanted
    )


def _described(metric: Metric) -> Params:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
