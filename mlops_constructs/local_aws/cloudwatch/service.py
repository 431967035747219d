"""CloudWatch's operations that read the metrics of SageMaker; moto has the metrics that the account publishes itself.

Alarms are moto's: none is evaluated, each keeps the state that SetAlarmState gives it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.cloudwatch.metrics import Metric, Metrics
from mlops_constructs.local_aws.cloudwatch.pages import Point, Result, page_of
from mlops_constructs.local_aws.cloudwatch.statistics import statistic
from mlops_constructs.local_aws.service import AwsError, Params, PassToMotoError, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_OWN = "AWS/SageMaker"
_PAGE = 500
_THREE_HOURS = 3 * 3_600.0
_MAX_DATAPOINTS = 100_800
_OLDEST_FIRST = "TimestampAscending"


class CloudWatchService(Service):
    """Reads the metrics of SageMaker, and moto's beside them.

    Attributes:
        metrics: What SageMaker publishes.
    """

    service_name: ClassVar[str] = "cloudwatch"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.metrics = Metrics()

    def describe_alarms(self, params: Params) -> Params:
        """Alarms by all filters together; moto knows only one at a time, and ignores StateValue beside a prefix."""
        wanted = params.get("StateValue")
        if wanted is None:
            raise PassToMotoError
        others = {name: value for name, value in params.items() if name != "StateValue"}
        answer: Params = without_metadata(self.account.moto("cloudwatch").describe_alarms(**others))
        for kind in ("MetricAlarms", "CompositeAlarms"):
            answer[kind] = [alarm for alarm in answer.get(kind, []) if alarm["StateValue"] == wanted]
        return answer

    def get_metric_statistics(self, params: Params) -> Params:
        """Statistics of one metric."""
        if params["Namespace"] != _OWN:
            raise PassToMotoError
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
        """Statistics of several metrics, by pages of MaxDatapoints."""
        queries = params["MetricDataQueries"]
        if not any(_namespace(query) == _OWN for query in queries):
            raise PassToMotoError
        for number, query in enumerate(queries, start=1):
            if "Expression" in query:
                raise AwsError(
                    "NotImplementedException",
                    f"the local AWS does not implement metric math of {_OWN}: {query['Expression']}",
                    501,
                )
            if _namespace(query) == _OWN:
                member = f"MetricDataQueries.member.{number}.MetricStat.Period"
                _check_period("ValidationError", member, query["MetricStat"]["Period"])
        oldest_first = params.get("ScanBy") == _OLDEST_FIRST
        results = [self._result(query, params, oldest_first) for query in queries]
        shown = [result for query, result in zip(queries, results, strict=True) if query.get("ReturnData", True)]
        limit = params.get("MaxDatapoints", _MAX_DATAPOINTS)
        return page_of(shown, limit, params.get("NextToken"), oldest_first=oldest_first)

    def list_metrics(self, params: Params) -> Params:
        """The metrics by namespace, name and dimensions, in pages of 500."""
        namespace = params.get("Namespace")
        if namespace not in (None, _OWN):
            raise PassToMotoError
        found = [_described(metric) for metric, last in self.metrics.known().items() if _matches(metric, last, params)]
        if namespace is None:
            found += self._motos_metrics(params)
        token = params.get("NextToken", "0")
        if not token.isdecimal() or int(token) > len(found):
            raise AwsError("InvalidParameterValue", "Request parameter NextToken is invalid")
        begin = int(token)
        page: Params = {"Metrics": found[begin : begin + _PAGE]}
        return page | ({"NextToken": str(begin + _PAGE)} if begin + _PAGE < len(found) else {})

    def _motos_metrics(self, params: Params) -> list[Params]:
        given = {name: value for name, value in params.items() if name in ("MetricName", "Dimensions")}
        pages = self.account.moto("cloudwatch").get_paginator("list_metrics").paginate(**given)
        return [metric for page in pages for metric in page["Metrics"]]

    def _result(self, query: Params, params: Params, oldest_first: bool) -> Result:
        asked = query["MetricStat"]
        label = query.get("Label", asked["Metric"]["MetricName"])
        if _namespace(query) != _OWN:
            return Result(query["Id"], label, self._motos_points(query, params, oldest_first))
        metric, function = _metric(asked["Metric"]), statistic(asked["Stat"])
        start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
        points = [
            Point(at, function(values)) for at, values in self.metrics.periods(metric, start, end, asked["Period"])
        ]
        unit = self.metrics.unit(metric)
        if asked.get("Unit", unit) != unit:
            points = []
        return Result(query["Id"], label, points if oldest_first else points[::-1])

    def _motos_points(self, query: Params, params: Params, oldest_first: bool) -> list[Point]:
        times = {name: params[name] for name in ("StartTime", "EndTime")}
        visible = {**query, "ReturnData": True}
        answer = self.account.moto("cloudwatch").get_metric_data(MetricDataQueries=[visible], **times)
        (result,) = answer["MetricDataResults"]
        pairs = zip(result["Timestamps"], result["Values"], strict=True)
        points = [Point(at.timestamp(), value) for at, value in pairs]
        return sorted(points, key=lambda point: point.at, reverse=not oldest_first)


def _namespace(query: Params) -> str:
    return str(query.get("MetricStat", {}).get("Metric", {}).get("Namespace", ""))


def _metric(params: Params) -> Metric:
    dimensions = {one["Name"]: one["Value"] for one in params.get("Dimensions", [])}
    return Metric.of(_OWN, params.get("MetricName", ""), dimensions)


def _check_period(code: str, member: str, seconds: int) -> None:
    """SageMaker's metrics have regular resolution, for which Period "must be a multiple of 60"."""
    if seconds % 60:
        raise AwsError(code, f"The parameter {member} must be a multiple of 60 for a metric of {_OWN}.")


def _matches(metric: Metric, last: float, params: Params) -> bool:
    if params.get("MetricName", metric.name) != metric.name:
        return False
    if "RecentlyActive" in params and last < datetime.now(timezone.utc).timestamp() - _THREE_HOURS:
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
