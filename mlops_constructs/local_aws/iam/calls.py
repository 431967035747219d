"""Calls of the AWS API, and the permissions that AWS checks before it executes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .request import Context

if TYPE_CHECKING:
    from collections.abc import Mapping


class Facts(Protocol):
    """Facts about resources of the account that a call does not contain."""

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        """Return the ARN of the customer managed key that encrypts a resource; None when there is none.

        Args:
            arn: ARN of an object, a bucket (its default key), a topic, a queue or a parameter.
            version: Version of the object; None for the newest.
        """

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        """Whether an object has tags."""

    def role_path(self, name: str) -> str:
        """Return the path of a role, which is part of its ARN; ``/`` for a role that does not exist."""


class NoFacts:
    """An account in which nothing is encrypted with a customer managed key, and nothing is tagged."""

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        """Return None: there is no key."""
        return None

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        """Whether an object has tags: no."""
        return False

    def role_path(self, name: str) -> str:
        """Return the path of every role: ``/``."""
        return "/"


@dataclass(frozen=True, slots=True)
class Site:
    """The partition, region and account of a call.

    Attributes:
        partition: Such as ``aws-us-gov``.
        region: Such as ``us-gov-west-1``.
        account: Account that owns the resources.
    """

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """Make the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Call:
    """One API call.

    Attributes:
        service: Service name in botocore, such as ``sagemaker-runtime``.
        operation: Operation name in the API, such as ``InvokeEndpoint``.
        params: Members of the request by their names in botocore's model.
        site: Its partition, region and account.
        context: Condition keys that do not come from the request: ``aws:SourceArn``, ``aws:SecureTransport``, ...
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    site: Site
    context: Context = field(default_factory=Context)

    def text(self, path: str) -> str:
        """Return a member as text, by a path with dots for inner members; empty when the request does not have it."""
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
        context: Condition keys that the service sets.
        known: False when the call is in no table and the default is used: the operation's name, on ``*``.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=Context)
    known: bool = True


def tag_context(tags: Mapping[str, str]) -> Context:
    """Return the condition keys of tags that a request sets.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag
    """
    return Context({"aws:TagKeys": list(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}})
