"""The permissions for KMS, SSM, CloudWatch, Logs, Lambda, Auto Scaling, SNS, SQS, STS, EventBridge, IAM and X-Ray.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..calls import Check
from ..request import Context
from ._rows import Row, key_arn, request_tags, tagging, use_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..calls import Call, Facts
    from ._rows import Checks, Table


def _key(action: str) -> Checks:
    """Need an action on the key; a call that names no key is checked on ``*``, which no policy for one key allows."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        key = call.text("KeyId")
        encryption = call.params.get("EncryptionContext", {})
        values = {f"kms:EncryptionContext:{name}": value for name, value in encryption.items()}
        values["kms:CallerAccount"] = call.site.account
        resource = "*" if not key else call.arn("kms", key) if key.startswith("alias/") else key_arn(call, key)
        yield Check(f"kms:{action}", resource, Context(values))

    return checks


def _parameter_arn(call: Call, name: str) -> str:
    return name if name.startswith("arn:") else call.arn("ssm", f"parameter/{name.lstrip('/')}")


def _parameters(action: str, member: str, *key_actions: str) -> Checks:
    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        given = call.params.get(member, ())
        for name in [given] if isinstance(given, str) else given:
            arn = _parameter_arn(call, name)
            yield Check(f"ssm:{action}", arn, request_tags(call))
            yield from use_key(arn, call, facts, "ssm", key_actions)

    return checks


def _logs(action: str, stream: str = "") -> Checks:
    """Need an action on a log group or stream, both written as ``log-group:NAME:log-stream:STREAM``.

    This is the form in CloudWatch Logs' AccessDenied messages, also for a deletion:
    https://github.com/vectordotdev/vector/issues/714, https://github.com/anomalyco/sst/issues/4256
    """

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        name = call.text(stream) if stream else ""
        resource = f"log-group:{call.text('logGroupName')}:log-stream:{name}"
        yield Check(f"logs:{action}", call.arn("logs", resource), request_tags(call))

    return checks


def _alarms(call: Call, facts: Facts) -> Iterable[Check]:
    for name in call.params.get("AlarmNames", ()) or [""]:
        yield Check("cloudwatch:DeleteAlarms", call.arn("cloudwatch", f"alarm:{name}"))


def _namespace(call: Call) -> Context:
    return Context({"cloudwatch:namespace": call.text("Namespace")})


def _alarm_context(call: Call) -> Context:
    actions = call.params.get("AlarmActions", ())
    return request_tags(call).under(Context({"cloudwatch:AlarmActions": list(actions)}))


def _scaling_context(call: Call) -> Context:
    return request_tags(call).under(
        Context(
            {
                "application-autoscaling:service-namespace": call.text("ServiceNamespace"),
                "application-autoscaling:scalable-dimension": call.text("ScalableDimension"),
            }
        )
    )


def _topic_key(call: Call, facts: Facts) -> Iterable[Check]:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"""
    return use_key(call.text("TopicArn"), call, facts, "sns", ("GenerateDataKey", "Decrypt"))


def _queue(action: str, *key_actions: str) -> Checks:
    """Need an action on the queue with this URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        account, _, name = urlsplit(call.text("QueueUrl")).path.strip("/").rpartition("/")
        site = call.site
        arn = f"arn:{site.partition}:sqs:{site.region}:{account or site.account}:{name or call.text('QueueName')}"
        yield Check(f"sqs:{action}", arn)
        yield from use_key(arn, call, facts, "sqs", key_actions)

    return checks


def _assume(call: Call, facts: Facts) -> Iterable[Check]:
    values = {"sts:RoleSessionName": call.text("RoleSessionName"), "sts:ExternalId": call.text("ExternalId")}
    context = request_tags(call).under(Context({key: value for key, value in values.items() if value}))
    yield Check("sts:AssumeRole", call.text("RoleArn"), context)


def _free(call: Call, facts: Facts) -> Iterable[Check]:
    """Need nothing: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    return ()


def _put_events(call: Call, facts: Facts) -> Iterable[Check]:
    for entry in call.params.get("Entries", ()):
        bus = entry.get("EventBusName", "default")
        arn = bus if bus.startswith("arn:") else call.arn("events", f"event-bus/{bus}")
        context = {"events:source": entry.get("Source", ""), "events:detail-type": entry.get("DetailType", "")}
        yield Check("events:PutEvents", arn, Context(context))


def _iam_role(action: str) -> Checks:
    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        name = call.text("RoleName")
        role = f"arn:{call.site.partition}:iam::{call.site.account}:role{facts.role_path(name)}{name}"
        yield Check(f"iam:{action}", role)

    return checks


def _linked_role(call: Call, facts: Facts) -> Iterable[Check]:
    service = call.text("AWSServiceName")
    role = f"arn:{call.site.partition}:iam::{call.site.account}:role/aws-service-role/{service}/*"
    yield Check("iam:CreateServiceLinkedRole", role, Context({"iam:AWSServiceName": service}))


_TARGET = "scalable-target/*"
_ALARM = "alarm:{AlarmName}"
_KEY_ACTIONS = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
]
_SCALING = [
    *("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"),
    *("PutScheduledAction", "DeleteScheduledAction"),
]
_SCALING_READ = ["DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"]
_FUNCTION = ["GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode", "UpdateFunctionConfiguration"]

TABLE: Table = {
    **{("kms", action): _key(action) for action in _KEY_ACTIONS},
    ("ssm", "GetParameter"): _parameters("GetParameter", "Name", "Decrypt"),
    ("ssm", "GetParameters"): _parameters("GetParameters", "Names", "Decrypt"),
    ("ssm", "GetParametersByPath"): _parameters("GetParametersByPath", "Path", "Decrypt"),
    ("ssm", "PutParameter"): _parameters("PutParameter", "Name", "Encrypt"),
    ("ssm", "DeleteParameter"): _parameters("DeleteParameter", "Name"),
    ("logs", "CreateLogGroup"): _logs("CreateLogGroup"),
    ("logs", "DeleteLogGroup"): _logs("DeleteLogGroup"),
    ("logs", "AssociateKmsKey"): _logs("AssociateKmsKey"),
    ("logs", "DisassociateKmsKey"): _logs("DisassociateKmsKey"),
    ("logs", "CreateLogStream"): _logs("CreateLogStream", "logStreamName"),
    ("logs", "PutLogEvents"): _logs("PutLogEvents", "logStreamName"),
    ("logs", "GetLogEvents"): _logs("GetLogEvents", "logStreamName"),
    ("logs", "FilterLogEvents"): _logs("FilterLogEvents"),
    ("logs", "DescribeLogStreams"): _logs("DescribeLogStreams"),
    ("logs", "DescribeLogGroups"): Row("logs:DescribeLogGroups"),
    ("cloudwatch", "PutMetricAlarm"): Row(
        "cloudwatch:PutMetricAlarm", (_ALARM,), _alarm_context, (tagging("cloudwatch:TagResource", _ALARM),)
    ),
    ("cloudwatch", "DeleteAlarms"): _alarms,
    ("cloudwatch", "DescribeAlarms"): Row("cloudwatch:DescribeAlarms", ("alarm:*",)),
    ("cloudwatch", "SetAlarmState"): Row("cloudwatch:SetAlarmState", (_ALARM,)),
    ("cloudwatch", "PutMetricData"): Row("cloudwatch:PutMetricData", (), _namespace),
    ("cloudwatch", "GetMetricData"): Row("cloudwatch:GetMetricData"),
    ("cloudwatch", "GetMetricStatistics"): Row("cloudwatch:GetMetricStatistics"),
    ("cloudwatch", "ListMetrics"): Row("cloudwatch:ListMetrics"),
    ("cloudwatch", "TagResource"): Row("cloudwatch:TagResource", ("{ResourceARN}",), request_tags),
    ("cloudwatch", "UntagResource"): Row("cloudwatch:UntagResource", ("{ResourceARN}",)),
    ("cloudwatch", "ListTagsForResource"): Row("cloudwatch:ListTagsForResource", ("{ResourceARN}",)),
    ("lambda", "Invoke"): Row("lambda:InvokeFunction", ("function:{FunctionName}",)),
    ("lambda", "InvokeAsync"): Row("lambda:InvokeFunction", ("function:{FunctionName}",)),
    **{("lambda", name): Row(f"lambda:{name}", ("function:{FunctionName}",)) for name in _FUNCTION},
    **{
        ("application-autoscaling", name): Row(f"application-autoscaling:{name}", (_TARGET,), _scaling_context)
        for name in _SCALING
    },
    **{("application-autoscaling", name): Row(f"application-autoscaling:{name}") for name in _SCALING_READ},
    ("sns", "Publish"): Row("sns:Publish", ("{TopicArn}",), also=(_topic_key,)),
    ("sns", "GetTopicAttributes"): Row("sns:GetTopicAttributes", ("{TopicArn}",)),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    ("sqs", "SendMessage"): _queue("SendMessage", "GenerateDataKey", "Decrypt"),
    ("sqs", "ReceiveMessage"): _queue("ReceiveMessage", "Decrypt"),
    ("sqs", "DeleteMessage"): _queue("DeleteMessage"),
    ("sqs", "GetQueueUrl"): _queue("GetQueueUrl"),
    ("sqs", "GetQueueAttributes"): _queue("GetQueueAttributes"),
    ("sts", "AssumeRole"): _assume,
    ("sts", "GetCallerIdentity"): _free,
    ("events", "PutEvents"): _put_events,
    # A rule of the default bus: the ARN of another bus's rule has its bus too.
    ("events", "DescribeRule"): Row("events:DescribeRule", ("rule/{Name}",)),
    ("resourcegroupstaggingapi", "GetResources"): Row("tag:GetResources"),
    ("iam", "GetRole"): _iam_role("GetRole"),
    ("iam", "CreateServiceLinkedRole"): _linked_role,
    ("xray", "PutTraceSegments"): Row("xray:PutTraceSegments"),
    ("xray", "PutTelemetryRecords"): Row("xray:PutTelemetryRecords"),
}
