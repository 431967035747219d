"""The function that notifies people of a rollback of production, and of an approval that waits for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.events import invoke_on
from ..._aws.function import Function
from ..._aws.policy import allow

if TYPE_CHECKING:
    from constructs import Construct

    from ..._aws.environment import Environment
    from ..._aws.topic import Topic
    from ...config import Alarms, Approval

_ROLLED_BACK = ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
CHECK_MINUTES = 15


def notify_people(
    scope: Construct,
    *,
    env: Environment,
    config: Alarms,
    approval: Approval,
    stack: str,
    topic: Topic,
) -> Function:
    """Make the function and the rules that invoke it.

    Args:
        scope: Construct they belong to.
        env: Where it is deployed.
        config: The alarms.
        approval: The approval, of which people are reminded.
        stack: CloudFormation stack of the production endpoint.
        topic: SNS topic that is notified.
    """
    percent = config.approval_reminder_percent
    reminder = None if percent is None else max(1, approval.timeout_in_minutes * percent // 100)
    stack_arn = env.arn("cloudformation", f"stack/{stack}/")
    function = Function(
        scope,
        "notify_people",
        folder="notify_people",
        env=env,
        settings={
            "PIPELINE": env.name,
            "TOPIC_ARN": topic.arn,
            "REMINDER_MINUTES": "" if reminder is None else str(reminder),
            "CHECK_MINUTES": str(CHECK_MINUTES),
            "APPROVAL_TIMEOUT_MINUTES": str(approval.timeout_in_minutes),
        },
        permissions=[
            *topic.publish(env),
            allow("cloudformation:DescribeStackEvents", f"{stack_arn}*"),
            *([] if reminder is None else [allow("codepipeline:GetPipelineState", env.arn("codepipeline", env.name))]),
        ],
    )
    _invoke(scope, function, env, stack_arn, reminds=reminder is not None)
    return function


def _invoke(scope: Construct, function: Function, env: Environment, stack_arn: str, *, reminds: bool) -> None:
    invoke_on(
        scope,
        "on_rollback",
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html
        pattern={
            "source": ["aws.cloudformation"],
            "detail-type": ["CloudFormation Stack Status Change"],
            "detail": {"stack-id": [{"prefix": stack_arn}], "status-details": {"status": _ROLLED_BACK}},
        },
        function=function,
        env=env,
        target_id="notify-people",
    )
    if reminds:
        invoke_on(
            scope,
            "on_waiting",
            # Unlike a rate, its events are exactly on the minute: each tells of the minutes since the one before.
            schedule=f"cron(0/{CHECK_MINUTES} * * * ? *)",
            function=function,
            env=env,
            target_id="notify-people",
        )
