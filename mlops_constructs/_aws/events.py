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
    from .stores import Stores


def invoke_on(
    scope: Construct,
    id_: str,
    *,
    pattern: Mapping[str, object],
    function: Function,
    env: Environment,
    stores: Stores,
) -> None:
    """Invoke ``function`` for every event that matches.

    Args:
        scope: Construct it belongs to.
        id_: Construct id of the rule; ends its name, of which AWS takes 64 characters.
        pattern: EventBridge event pattern.
        function: What is invoked.
        env: Where it is deployed.
        stores: Dead letter queue.
    """
    rule = cloudwatch_event_rule.CloudwatchEventRule(
        scope, id_, name=f"{env.name}-{id_.replace('_', '-')}", event_pattern=json.dumps(pattern)
    )
    cloudwatch_event_target.CloudwatchEventTarget(
        scope,
        f"{id_}_target",
        rule=rule.name,
        target_id="function",
        arn=function.arn,
        # After 24 hours of retries EventBridge drops an event; the queue keeps it.
        dead_letter_config=cloudwatch_event_target.CloudwatchEventTargetDeadLetterConfig(arn=stores.dead_letter_arn),
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
