"""Calls of the AWS API, and what AWS checks before it does them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .request import Context

if TYPE_CHECKING:
    from collections.abc import Mapping


class Facts(Protocol):
    """What the account knows and a call does not tell."""

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        """Give the ARN of the customer managed key that encrypts what an ARN names.

        Args:
            arn: An object, a bucket (its default key), a topic, a queue, a parameter.
            version: Version of the object; None for the newest.
        """

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        """Whether an object has tags."""


class NoFacts:
    """An account in which nothing is encrypted by a customer managed key, and nothing tagged."""

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        """Give no key."""
        return None

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        """Whether an object has tags: no."""
        return False


@dataclass(frozen=True, slots=True)
class Site:
    """Where a call is made.

    Attributes:
        partition: Such as ``aws-us-gov``.
        region: Such as ``us-gov-west-1``.
        account: Account that owns what is called.
    """

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """Make the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API.

    Attributes:
        service: As botocore names it, such as ``sagemaker-runtime``.
        operation: As the API names it, such as ``InvokeEndpoint``.
        params: Members of the request by their names in botocore's model.
        site: Where it is made.
        context: Condition keys that do not come from the request: ``aws:SourceArn``, ``aws:SecureTransport``, ...
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    site: Site
    context: Context = field(default_factory=Context)

    def text(self, path: str) -> str:
        """Give a member as text, inner ones by dots; empty when it is not there."""
        value: Any = self.params
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return "" if value is None else str(value)

    def arn(self, service: str, resource: str) -> str:
        """Make the ARN of a resource of the call's account and region."""
        return self.site.arn(service, resource)


@dataclass(frozen=True, slots=True)
class Check:
    """One permission that a call needs.

    Attributes:
        action: ``service:Action``.
        resource: ARN, or ``*`` for an action that takes no resource.
        context: Condition keys that the service gives.
        known: False where the call is in no table and the default stands: the operation's name, on ``*``.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=Context)
    known: bool = True


def tag_context(tags: Mapping[str, str]) -> Context:
    """Give the condition keys of tags that a request sets.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag
    """
    return Context({"aws:TagKeys": list(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}})
