"""Makes the message for an event, if there is anything to tell, and publishes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from notify_people.settings import Settings

ROLLED_BACK, STUCK = "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"
# Stage and action of the approval.
APPROVE = "Approve"
# SNS's limit.
_SUBJECT = 100


@dataclass(frozen=True)
class Services:
    """The clients that a notification needs."""

    sns: Any
    cloudformation: Any
    codepipeline: Any


@dataclass(frozen=True)
class Message:
    """Subject and text of a notification."""

    subject: str
    text: str


def notify(event: dict[str, Any], settings: Settings, services: Services) -> dict[str, Any]:
    """Publish what people should know of an event. Returns ``{"notified": subject or None}``."""
    message = _message(event, settings, services)
    if message is None:
        return {"notified": None}
    subject = message.subject[:_SUBJECT]
    services.sns.publish(TopicArn=settings.topic_arn, Subject=subject, Message=message.text)
    logs.info("people notified", subject=subject)
    return {"notified": subject}


def _message(event: dict[str, Any], settings: Settings, services: Services) -> Message | None:
    kind = event.get("detail-type")
    if kind == "Scheduled Event":
        return _reminder(_time(event), settings, services.codepipeline)
    if kind == "CloudFormation Stack Status Change":
        detail = event["detail"]
        return _rollback(
            detail["stack-id"], detail["status-details"]["status"], settings.pipeline, services.cloudformation
        )
    raise ConfigurationError(f"The function does not know events of the type {kind!r}.")


def _time(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def _rollback(stack_id: str, status: str, pipeline: str, cloudformation: Any) -> Message:
    stack, reason = stack_id.split("/")[1], _reason(stack_id, cloudformation)
    if status == STUCK:
        return Message(
            f"{pipeline}: production could not be rolled back",
            f"The production endpoint of the pipeline {pipeline} could not be deployed, and not be rolled back either:"
            f" {reason}\n\nThe stack {stack} accepts no release until a person continues the rollback in the console of"
            f" CloudFormation, or with `aws cloudformation continue-update-rollback --stack-name {stack}`."
            f" `mlops status {pipeline}` says more.",
        )
    return Message(
        f"{pipeline}: production was rolled back",
        f"A deployment to the production endpoint of the pipeline {pipeline} was rolled back: {reason}\n\nProduction"
        f" runs the release that it ran before, `mlops releases {pipeline}` shows which. `mlops status {pipeline}` says"
        f" where the execution ended, `mlops logs {pipeline} production` what the model's container wrote.",
    )


def _reason(stack_id: str, cloudformation: Any) -> str:
    """The first failure of the last update; what failed after it failed because of it."""
    found = "CloudFormation names no reason."
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    for event in (event for page in pages for event in page["StackEvents"]):
        status = event.get("ResourceStatus", "")
        if event["PhysicalResourceId"] == stack_id and status == "UPDATE_IN_PROGRESS":
            return found
        if status.endswith("_FAILED") and event.get("ResourceStatusReason"):
            found = f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
    return found


def _reminder(now: datetime, settings: Settings, codepipeline: Any) -> Message | None:
    """The reminder of an approval, in the first event after its time."""
    if settings.reminder_minutes is None:
        return None
    state = codepipeline.get_pipeline_state(name=settings.pipeline)
    stage: dict[str, Any] = next((one for one in state["stageStates"] if one["stageName"] == APPROVE), {})
    actions = stage.get("actionStates", [])
    latest: dict[str, Any] = next(
        (one.get("latestExecution", {}) for one in actions if one["actionName"] == APPROVE), {}
    )
    if latest.get("status") != "InProgress":
        return None
    since, due = latest["lastStatusChange"], timedelta(minutes=settings.reminder_minutes)
    if not due <= now - since < due + timedelta(minutes=settings.check_minutes):
        return None
    execution = stage["latestExecution"]["pipelineExecutionId"]
    until = since + timedelta(minutes=settings.approval_timeout_minutes)
    return Message(
        f"{settings.pipeline}: an approval is waiting",
        f"The execution {execution} of the pipeline {settings.pipeline} has been waiting for an approval since"
        f" {since:%Y-%m-%d %H:%M %Z}. Without one it fails at {until:%Y-%m-%d %H:%M %Z}; the next data set waits until"
        f" then. `mlops status {settings.pipeline}` shows the evidence, `mlops approve {settings.pipeline}` and"
        f" `mlops reject {settings.pipeline}` decide.",
    )
