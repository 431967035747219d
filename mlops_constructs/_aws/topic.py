"""The SNS topic that functions publish to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..provider import sns_topic, sns_topic_subscription
from .policy import alarms_publish, allow, document, through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from .environment import Environment
    from .policy import Statement


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that people subscribe to.

    Attributes:
        arn: Its ARN.
        is_ours: Whether it is encrypted with the pipeline's key; the owner of another one has to allow its key.
    """

    arn: str
    is_ours: bool

    def publish(self, env: Environment) -> list[Statement]:
        """Allow a function to publish, which needs the key of an encrypted topic.

        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        key = allow(["kms:Decrypt", "kms:GenerateDataKey"], env.stores.key_arn, when=through(env.region, "sns"))
        return [allow("sns:Publish", self.arn), *([key] if self.is_ours else [])]


def make_topic(scope: Construct, env: Environment, emails: Sequence[str]) -> sns_topic.SnsTopic:
    """Make the topic of approvals, encrypted with the pipeline's key, and its subscriptions."""
    name, key_arn = f"{env.name}-approvals", env.stores.key_arn
    # The pipeline and the functions publish with their roles.
    policy = document([alarms_publish(env.arn("sns", name), env.account_id)])
    topic = sns_topic.SnsTopic(scope, "topic", name=name, kms_master_key_id=key_arn, policy=policy)
    for email in emails:
        # Not its place in the list: who is after a person that leaves would have to confirm again.
        id_ = f"email_{hashlib.sha256(email.encode()).hexdigest()[:8]}"
        sns_topic_subscription.SnsTopicSubscription(scope, id_, topic_arn=topic.arn, protocol="email", endpoint=email)
    return topic
