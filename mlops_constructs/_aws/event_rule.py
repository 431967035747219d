"""A function that an event calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..provider import cloudwatch_event_rule, cloudwatch_event_target, lambda_permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from .function import Function
    from .stores import Stores


def invoke_on(
    scope: Construct, id_: str, *, name: str, pattern: Mapping[str, object], function: Function, stores: Stores
) -> None:
    """Call a function for every event that matches; an event that cannot be delivered goes to the dead letter queue.

    Args:
        scope: Construct the rule belongs to.
        id_: Construct id of the rule.
        name: Name of the rule, at most 64 characters.
        pattern: EventBridge event pattern.
        function: What is called.
        stores: Dead letter queue.
    """
    rule = cloudwatch_event_rule.CloudwatchEventRule(scope, id_, name=name, event_pattern=json.dumps(pattern))
    cloudwatch_event_target.CloudwatchEventTarget(
        scope,
        f"{id_}_target",
        rule=rule.name,
        target_id="function",
        arn=function.arn,
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
