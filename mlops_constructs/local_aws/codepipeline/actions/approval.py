"""The manual approval: notifies the approvers over SNS and waits for PutApprovalResult."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, Approval

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.context import ActionContext

DEFAULT_TIMEOUT_MINUTES = 7 * 24 * 60


def run(context: ActionContext) -> dict[str, str]:
    """Wait for the approval; the action fails when it is rejected or when the timeout expires."""
    minutes = int(context.run.definition.get("timeoutInMinutes", DEFAULT_TIMEOUT_MINUTES))
    approval, clock = Approval(token=str(uuid4())), context.account.clock
    expires = clock.now() + 60.0 * minutes
    _notify(context, approval, minutes)
    with context.changed:
        context.run.approval = approval
        context.changed.notify_all()
    context.account.hooks.asked(context.execution.pipeline_name, context.run.name)
    with context.changed:
        approval.held = False
        approval.status = "Expired" if clock.now() >= expires else None
        context.changed.notify_all()
    answered = context.wait_until(lambda: approval.status is not None, expires - clock.now())
    if not answered or approval.status == "Expired":
        with context.changed:
            approval.status = "Expired"
        raise ActionFailedError(f"nobody approved or rejected within {minutes} minutes")
    context.run.summary = approval.summary
    if approval.status == "Rejected":
        raise ActionFailedError(f"rejected: {approval.summary}" if approval.summary else "rejected")
    return {}


def _notify(context: ActionContext, approval: Approval, minutes: int) -> None:
    configuration = context.run.configuration
    topic = configuration.get("NotificationArn")
    if topic is None:
        return
    execution, run = context.execution, context.run
    request = {
        "pipelineName": execution.pipeline_name,
        "stageName": run.stage,
        "actionName": run.name,
        "token": approval.token,
        "expires": (utc_now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%MZ"),
        "externalEntityLink": configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{context.account.url}/{execution.pipeline_name}/{run.stage}/{run.name}",
        "customData": configuration.get("CustomData"),
    }
    message = {"region": context.account.region, "consoleLink": context.account.url, "approval": request}
    subject = f"APPROVAL NEEDED: AWS CodePipeline {execution.pipeline_name} for action {run.name}"
    try:
        context.client("sns").publish(TopicArn=topic, Subject=subject[:100], Message=json.dumps(message))
    except ClientError as error:
        # What AWS says here is not documented. Its error names no topic, which is what a person needs to know.
        denied = "AccessDenied" in error.response["Error"]["Code"] or "Authorization" in error.response["Error"]["Code"]
        raise ActionFailedError(
            f"the approvers could not be notified through the topic {topic}: {error}",
            "PermissionError" if denied else "JobFailed",
        ) from error
