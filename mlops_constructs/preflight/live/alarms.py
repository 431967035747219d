"""What CloudFormation's handler for alarms calls with the permissions of the deploy role."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .room import Room
    from .verdict import Verdicts

_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 2.0


def alarm_needs_tag_resource(room: Room) -> Verdicts:
    """Create a stack of one alarm with a role that may put it, but may not tag it.

    AWS withdrew the fallback without tags in 2026: CREATE_FAILED, UnauthorizedTaggingOperation (aws-eda-slurm-cluster
    #340, comment of 2026-08-29).
    """
    name, alarm = room.name("stack"), room.name("alarm")
    actions = [f"cloudwatch:{one}" for one in ("PutMetricAlarm", "DeleteAlarms", "DescribeAlarms")]
    role = room.role(
        "deploy",
        [{"Service": "cloudformation.amazonaws.com"}],
        [{"Action": actions, "Resource": room.arn("cloudwatch", f"alarm:{alarm}")}],
    )
    cloudformation = room.client("cloudformation")
    room.on_leave(f"stack {name}", lambda: _delete(cloudformation, name))
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(_template(alarm)), RoleARN=role, OnFailure="DO_NOTHING"
    )
    status = _wait(cloudformation, name)
    if status == "CREATE_COMPLETE":
        return "no", "the alarm was created without cloudwatch:TagResource"
    reason = _reason(cloudformation, name)
    if "tag" in reason.lower():
        return "yes", reason
    return "undecided", f"the stack is {status}: {reason}"


def _template(alarm: str) -> dict[str, Any]:
    properties = {
        "AlarmName": alarm,
        "Namespace": "mlops-live",
        "MetricName": "none",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}},
    }


def _wait(cloudformation: Any, name: str) -> str:
    until, status = time.monotonic() + _PATIENCE_SECONDS, "CREATE_IN_PROGRESS"
    while time.monotonic() < until:
        status = str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(_POLL_SECONDS)
    return status


def _reason(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED" and "ResourceStatusReason" in one]
    return str(failed[-1]["ResourceStatusReason"]) if failed else "no reason was given"


def _delete(cloudformation: Any, name: str) -> None:
    """Delete the stack, and wait: its role must exist until then."""
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": int(_POLL_SECONDS), "MaxAttempts": int(_PATIENCE_SECONDS)}
    )
