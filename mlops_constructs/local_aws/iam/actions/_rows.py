"""The building blocks of the tables of calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..calls import Call, Check, Facts, tag_context
from ..request import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMBER = re.compile(r"\{([A-Za-z.]+)\}")

Checks = Callable[[Call, Facts], Iterable[Check]]
"""Returns the permissions that a call needs."""

Table = dict[tuple[str, str], Checks]
"""By service and operation, as botocore names them."""


def nothing(call: Call) -> Context:
    """Return no condition keys."""
    return Context()


@dataclass(frozen=True, slots=True)
class Row:
    """A call that needs one action on one or more resources.

    Attributes:
        action: ``service:Action``.
        resources: The part of the ARN after the account, with members of the request in braces:
            ``training-job/{TrainingJobName}``. If such a member is an ARN, it is used as it is. Empty for an action
            that takes no resource and is checked on ``*``.
        context: Returns the condition keys.
        also: Returns further permissions that the call needs.
    """

    action: str
    resources: tuple[str, ...] = ()
    context: Callable[[Call], Context] = nothing
    also: tuple[Checks, ...] = ()

    def __call__(self, call: Call, facts: Facts) -> Iterable[Check]:
        """Yield the permissions that a call needs."""
        service = self.action.partition(":")[0]
        context = self.context(call)
        arns = [arn_of(call, service, resource) for resource in self.resources] or ["*"]
        yield from (Check(self.action, arn, context) for arn in arns)
        for more in self.also:
            yield from more(call, facts)


def arn_of(call: Call, service: str, resource: str) -> str:
    """The ARN from a resource's template; a member that is an ARN is used as it is."""
    values = [call.text(path) for path in _MEMBER.findall(resource)]
    whole = next((value for value in values if value.startswith("arn:")), None)
    return whole or call.arn(service, _MEMBER.sub(lambda member: call.text(member.group(1)), resource))


def pass_role(member: str, service: str) -> Checks:
    """Need permission to pass a role to a service; nothing when the call passes no role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        role = call.text(member)
        if role:
            yield Check("iam:PassRole", role, Context({"iam:PassedToService": service}))

    return checks


def tags_of(call: Call) -> Mapping[str, str]:
    """Return the tags that a request sets, in any of the formats that services use."""
    tags = call.params.get("Tags") or call.params.get("tags") or []
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", ""))) for tag in tags}


def tagging(action: str, resource: str) -> Checks:
    """Need a tagging action too when the request sets tags."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        tags = tags_of(call)
        if tags:
            yield Check(action, arn_of(call, action.partition(":")[0], resource), tag_context(tags))

    return checks


def request_tags(call: Call) -> Context:
    """Return the condition keys of the tags that a request sets."""
    return tag_context(tags_of(call))


def use_key(arn: str, call: Call, facts: Facts, via: str, actions: Iterable[str]) -> Iterable[Check]:
    """Need a customer managed key, if one encrypts a resource.

    Args:
        arn: ARN of the resource.
        call: The call.
        facts: Returns the key.
        via: Service that uses the key for the caller, as ``kms:ViaService`` names it without the region.
        actions: Actions of KMS.
    """
    key = facts.kms_key(arn)
    if key:
        yield from key_checks(key, call, via, actions)


def key_checks(
    key: str, call: Call, via: str, actions: Iterable[str], extra: Mapping[str, str] | None = None
) -> Iterable[Check]:
    """Need actions on a key that a service uses for the caller.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    context = Context(
        {
            "kms:ViaService": f"{via}.{call.site.region}.amazonaws.com",
            "kms:CallerAccount": call.site.account,
            **(extra or {}),
        }
    )
    yield from (Check(f"kms:{action}", key_arn(call, key), context) for action in actions)


def key_arn(call: Call, key: str) -> str:
    """Return the ARN of a key, given by ARN or id."""
    return key if key.startswith("arn:") else call.arn("kms", f"key/{key}")
