"""What CloudWatch refuses of alarms and custom metrics, and AWS Budgets of budgets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local_aws.refusals.calls import LEFT_OUT, Refusal

_ALARM, _PUT, _BUDGET = "cloudwatch:PutMetricAlarm", "cloudwatch:PutMetricData", "budgets:CreateBudget"
_E, _VALUE, _PARAMETER = "ValidationError", "InvalidParameterValue", "InvalidParameterException"
_PAGE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
_MATH = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html"
_QUERY = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html"
_DATUM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"
_NOTIFICATION = (
    "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateNotification.html"
)
_ONE_METRIC = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period"), LEFT_OUT)


def measured(id_: str, **changes: Any) -> dict[str, Any]:
    """A metric that an expression reads."""
    stat = {"Metric": {"Namespace": "N", "MetricName": id_}, "Period": 60, "Stat": "Sum", **changes}
    return {"Id": id_, "MetricStat": stat, "ReturnData": False}


def expressed(text: str, *queries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The members of an alarm on an expression."""
    return {**_ONE_METRIC, "Metrics": [{"Id": "value", "Expression": text, "ReturnData": True, **changes}, *queries]}


A, B = measured("a"), measured("b")
ALARMS = [
    Refusal("math-with-two-results", _ALARM, _E, _MATH, expressed("a", {**A, "ReturnData": True})),
    Refusal("math-without-a-result", _ALARM, _E, _MATH, expressed("a", A, ReturnData=False)),
    Refusal("math-of-11-metrics", _ALARM, _E, _MATH, expressed("m0", *(measured(f"m{one}") for one in range(11)))),
    Refusal("math-of-nothing", _ALARM, _E, _QUERY, expressed("a / missing", A)),
    Refusal("math-with-an-id-twice", _ALARM, _E, _QUERY, expressed("a", A, A)),
    Refusal("math-with-a-large-id", _ALARM, _E, _QUERY, expressed("a", A, {**B, "Id": "Large"})),
    Refusal("math-of-both", _ALARM, _E, _QUERY, expressed("a", {**A, "Expression": "1"})),
    Refusal("math-over-a-day", _ALARM, _E, _PAGE, {**expressed("a", A), "EvaluationPeriods": 1441}),
    Refusal("math-of-an-odd-period", _ALARM, _E, _PAGE, expressed("a", measured("a", Period=45))),
    Refusal("math-of-an-unknown-statistic", _ALARM, _E, _PAGE, expressed("a", measured("a", Stat="p101"))),
    Refusal("math-that-nobody-implements", _ALARM, _E, "the local AWS does not know RATE", expressed("RATE(a)", A)),
    Refusal("math-that-cannot-be-read", _ALARM, _E, _MATH, expressed("a +", A)),
    Refusal("treated-as-nothing", _ALARM, _E, _PAGE, {"TreatMissingData": "notbreaching"}),
    Refusal("few-of-no-percentile", _ALARM, _E, _PAGE, {"EvaluateLowSampleCountPercentile": "ignore"}),
    Refusal(
        "few-treated-as-nothing",
        _ALARM,
        _E,
        _PAGE,
        {"Statistic": LEFT_OUT, "ExtendedStatistic": "p99", "EvaluateLowSampleCountPercentile": "no"},
    ),
    Refusal("percentile-101", _ALARM, _E, _PAGE, {"Statistic": LEFT_OUT, "ExtendedStatistic": "p101"}),
    Refusal("percentile-sum", _ALARM, _E, _PAGE, {"Statistic": LEFT_OUT, "ExtendedStatistic": "Sum"}),
    Refusal("no-threshold", _ALARM, _E, _PAGE, {"Threshold": LEFT_OUT}),
]
METRICS = [
    Refusal("metric-of-aws", _PUT, _VALUE, _DATUM, {"Namespace": "AWS/SageMaker"}),
    Refusal("metric-without-a-value", _PUT, _VALUE, _DATUM, {"MetricData.0.Value": LEFT_OUT}),
    Refusal("metric-with-two-values", _PUT, _VALUE, _DATUM, {"MetricData.0.Values": [1.0]}),
    Refusal(
        "metric-with-uneven-counts",
        _PUT,
        _VALUE,
        _DATUM,
        {"MetricData.0.Value": LEFT_OUT, "MetricData.0.Values": [1.0, 2.0], "MetricData.0.Counts": [1.0]},
    ),
    Refusal("metric-of-last-year", _PUT, _VALUE, _DATUM, {"MetricData.0.Timestamp": datetime(2025, 1, 1)}),
    Refusal("metrics-1001", _PUT, _VALUE, _DATUM, {"MetricData": [{"MetricName": "a", "Value": 1.0}] * 1001}),
    Refusal(
        "metric-of-a-second",
        _PUT,
        "NotImplementedException",
        "the local AWS keeps minutes",
        {"MetricData.0.StorageResolution": 1},
    ),
]


def notified(*addresses: str, kind: str = "EMAIL") -> list[dict[str, Any]]:
    """A notification of a budget."""
    rule = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    subscribers = [{"SubscriptionType": kind, "Address": one} for one in addresses]
    return [{"Notification": rule, "Subscribers": subscribers}]


_EMAILS = [f"{number}@example.org" for number in range(11)]
BUDGETS = [
    Refusal("budget-twice", _BUDGET, "DuplicateRecordException", _NOTIFICATION, {"Budget.BudgetName": "known"}),
    Refusal(
        "budget-with-11-addresses",
        _BUDGET,
        _PARAMETER,
        _NOTIFICATION,
        {"NotificationsWithSubscribers": notified(*_EMAILS)},
    ),
    Refusal(
        "budget-with-two-topics",
        _BUDGET,
        _PARAMETER,
        _NOTIFICATION,
        {"NotificationsWithSubscribers": notified("arn:a", "arn:b", kind="SNS")},
    ),
    Refusal(
        "budget-with-a-notification-twice",
        _BUDGET,
        "DuplicateRecordException",
        _NOTIFICATION,
        {"NotificationsWithSubscribers": notified("a@example.org") * 2},
    ),
    Refusal(
        "budget-without-a-limit",
        _BUDGET,
        _PARAMETER,
        "the local AWS has cost budgets with a limit only",
        {"Budget.BudgetLimit": LEFT_OUT},
    ),
]
CALLS = [*ALARMS, *METRICS, *BUDGETS]
