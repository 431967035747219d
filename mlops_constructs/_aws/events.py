"""A function that EventBridge invokes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..provider import cloudwatch_event_rule, cloudwatch_event_target, lambda_permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from .environment import Environment
    from .function import Function


def invoke_on(
    scope: Construct,
    id_: str,
    *,
    function: Function,
    env: Environment,
    pattern: Mapping[str, object] | None = None,
    schedule: str | None = None,
    target_id: str = "function",
) -> None:
    """Invoke ``function`` for every event that matches a pattern, or on a schedule.

    Args:
        scope: Construct it belongs to.
        id_: Construct id of the rule; its name ends with it. AWS accepts names of at most 64 characters.
        function: The function that is invoked.
        env: Where it is deployed; its dead-letter queue keeps the events that cannot be delivered.
        pattern: EventBridge event pattern, or None with a schedule.
        schedule: EventBridge schedule expression, or None with a pattern.
        target_id: ID of the target in the rule. When it changes, Terraform replaces the target.
    """
    name = f"{env.name}-{id_.replace('_', '-')}"
    env.rules.append(name)
    env.invoked_by_rules.append(function.name)
    rule = cloudwatch_event_rule.CloudwatchEventRule(
        scope,
        id_,
        name=name,
        event_pattern=None if pattern is None else json.dumps(pattern),
        schedule_expression=schedule,
    )
    cloudwatch_event_target.CloudwatchEventTarget(
        scope,
        f"{id_}_target",
        rule=rule.name,
        target_id=target_id,
        arn=function.arn,
        dead_letter_config=dead_letters(env),
    )
    lambda_permission.LambdaPermission(
        scope,
        f"{id_}_permission",
        action="lambda:InvokeFunction",
        function_name=function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        depends_on=[function.function],
    )


def dead_letters(env: Environment) -> cloudwatch_event_target.CloudwatchEventTargetDeadLetterConfig:
    """Send the events that EventBridge gives up after 24 hours of retries to the dead-letter queue."""
    return cloudwatch_event_target.CloudwatchEventTargetDeadLetterConfig(arn=env.stores.dead_letter_arn)
