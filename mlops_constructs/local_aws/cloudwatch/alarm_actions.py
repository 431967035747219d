"""What an alarm does when its state changes: an event, and a message to each of its topics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.cloudwatch.alarm_data import period_of
from mlops_constructs.local_aws.cloudwatch.alarm_reasons import stamp
from mlops_constructs.local_aws.cloudwatch.alarm_states import ALARM, INSUFFICIENT, OK
from mlops_constructs.local_aws.iam.service_principals import service_call_checks

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_PRINCIPAL = "cloudwatch.amazonaws.com"
_ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_SUBJECT = 100


def act(account: Account, before: Params, after: Params) -> None:
    """Emit the event of a change, and run the actions of the new state.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html

    Args:
        account: The account.
        before: The alarm before the change, as DescribeAlarms returns it.
        after: The same after it.
    """
    account.log(f"alarm {after['AlarmName']}: {after['StateValue']}: {after['StateReason']}")
    account.emit(_event(before, after))
    if not after.get("ActionsEnabled", True):
        return
    for arn in after.get(_ACTIONS[after["StateValue"]], []):
        if arn.split(":")[2] == "autoscaling":
            continue  # the queues of asynchronous endpoints run their scaling policies themselves
        if arn.split(":")[2] != "sns":
            account.log(f"alarm {after['AlarmName']}: the local AWS does not run the action {arn}")
            continue
        try:
            _publish(account, arn, before, after)
        except (DeniedError, ClientError, BotoCoreError) as error:
            account.log(f"alarm {after['AlarmName']}: the action {arn} failed: {error}")


def _publish(account: Account, topic_arn: str, before: Params, after: Params) -> None:
    """Publish as the service CloudWatch, which the policies of the topic and of its key must allow."""
    checks = service_call_checks(_PRINCIPAL, topic_arn, account.access.facts.kms_key(topic_arn))
    account.access.check_service(_PRINCIPAL, checks, after["AlarmArn"])
    region = _described(account)
    subject = f'{after["StateValue"]}: "{after["AlarmName"]}" in {region}'[:_SUBJECT]
    message = json.dumps(_message(account, region, before, after))
    account.client("sns").publish(TopicArn=topic_arn, Subject=subject, Message=message)


def _message(account: Account, region: str, before: Params, after: Params) -> dict[str, Any]:
    return {
        "AlarmName": after["AlarmName"],
        "AlarmDescription": after.get("AlarmDescription"),
        "AWSAccountId": account.account_id,
        "AlarmConfigurationUpdatedTimestamp": stamp(after["AlarmConfigurationUpdatedTimestamp"].timestamp()),
        "NewStateValue": after["StateValue"],
        "NewStateReason": after["StateReason"],
        "StateChangeTime": stamp(after["StateUpdatedTimestamp"].timestamp()),
        "Region": region,
        "AlarmArn": after["AlarmArn"],
        "OldStateValue": before["StateValue"],
        **{name: after.get(name, []) for name in _ACTIONS.values()},
        "Trigger": _trigger(after),
    }


def _trigger(alarm: Params) -> dict[str, Any]:
    common = {
        "Period": period_of(alarm),
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }
    if alarm.get("Metrics"):
        return {**common, "Metrics": alarm["Metrics"]}
    extended = alarm.get("ExtendedStatistic")
    return {
        **common,
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "Statistic": extended or alarm["Statistic"].upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"value": one["Value"], "name": one["Name"]} for one in alarm.get("Dimensions", [])],
    }


def _event(before: Params, after: Params) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": [after["AlarmArn"]],
        "detail": {
            "alarmName": after["AlarmName"],
            "state": _state(after),
            "previousState": _state(before),
            "configuration": {"description": after.get("AlarmDescription", ""), "metrics": _metrics(after)},
        },
    }


def _state(alarm: Params) -> dict[str, Any]:
    return {
        "value": alarm["StateValue"],
        "reason": alarm["StateReason"],
        "reasonData": alarm.get("StateReasonData") or "{}",
        "timestamp": stamp(alarm["StateUpdatedTimestamp"].timestamp()),
    }


def _metrics(alarm: Params) -> list[dict[str, Any]]:
    if alarm.get("Metrics"):
        return [_configured(one) for one in alarm["Metrics"]]
    stat = {"period": alarm["Period"], "stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic")}
    metric = {"namespace": alarm["Namespace"], "name": alarm["MetricName"], "dimensions": _flat(alarm)}
    return [{"id": "m1", "metricStat": {"metric": metric, **stat}, "returnData": True}]


def _configured(query: Params) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if "MetricStat" not in query:
        return {**shown, "expression": query["Expression"], "label": query.get("Label", query["Id"])}
    asked = query["MetricStat"]
    named = {"namespace": asked["Metric"]["Namespace"], "name": asked["Metric"]["MetricName"]}
    metric = {**named, "dimensions": _flat(asked["Metric"])}
    return {**shown, "metricStat": {"metric": metric, "period": asked["Period"], "stat": asked["Stat"]}}


def _flat(metric: Params) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}


def _described(account: Account) -> str:
    """Return the name of the region for people, such as US East (N. Virginia)."""
    for partition in create_loader().load_data("endpoints")["partitions"]:
        if account.region in partition["regions"]:
            return str(partition["regions"][account.region]["description"])
    return account.region
