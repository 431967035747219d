"""What services do as service principals, which only the policy of a resource can allow.

One row per calling and called service, with AWS's page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .calls import Check
from .service_roles import Need, RoleUse

if TYPE_CHECKING:
    from collections.abc import Mapping

_RULES = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html"
_TOPIC_KEYS = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"
_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"

# EventBridge and CloudWatch can send to an encrypted topic or queue only if the key's policy allows it:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
_KEY = (Need("kms:GenerateDataKey", "{key_arn}"), Need("kms:Decrypt", "{key_arn}"))

SERVICE_CALLS: Mapping[tuple[str, str], RoleUse] = {
    ("events.amazonaws.com", "lambda"): RoleUse(_RULES, (Need("lambda:InvokeFunction", "{arn}"),)),
    ("events.amazonaws.com", "sns"): RoleUse(_RULES, (Need("sns:Publish", "{arn}"), *_KEY)),
    ("events.amazonaws.com", "sqs"): RoleUse(_RULES, (Need("sqs:SendMessage", "{arn}"), *_KEY)),
    ("cloudwatch.amazonaws.com", "sns"): RoleUse(_ALARMS, (Need("sns:Publish", "{arn}"), *_KEY)),
    ("sns.amazonaws.com", "sqs"): RoleUse(_TOPIC_KEYS, (Need("sqs:SendMessage", "{arn}"), *_KEY)),
}
"""By the service that calls and the service that is called."""


def service_call_checks(service: str, target_arn: str, key_arn: str | None) -> tuple[Check, ...]:
    """Return the permissions that a service needs to send to a target.

    Args:
        service: Such as ``events.amazonaws.com``.
        target_arn: ARN of a function, a topic or a queue.
        key_arn: Customer managed key that encrypts the target; None when there is none.

    Raises:
        KeyError: The service does not send to targets of this kind.
    """
    needs = SERVICE_CALLS[service, target_arn.split(":")[2]].needs
    relevant = (need for need in needs if key_arn is not None or need.resource != "{key_arn}")
    return tuple(Check(need.action, need.resource.format(arn=target_arn, key_arn=key_arn)) for need in relevant)
