"""Which actions of an apply and a destroy of the stack the deploying identity may call."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .arns import arn_for
from .asking import asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .stack import Identity, Resource, SynthesizedStack

_THING = "permissions"
_GROUPS = ("create", "read", "update", "delete")
_KEYS = ("kms_key_arn", "kms_key_id", "encryption_configuration", "kms_master_key_id")
_LIMITS = (
    "iam:SimulatePrincipalPolicy evaluates neither session policies nor policies of existing resources such as buckets"
)


@cache
def terraform_actions() -> dict[str, dict[str, Any]]:
    """The IAM actions that Terraform's AWS provider calls, by resource type and step.

    ``create``, ``read``, ``update`` and ``delete`` are the provider's calls; ``tag`` if the resource has tags; ``key``
    what a service does with KMS on behalf of the caller where the resource has a key; ``passes_role_to`` names the
    service that a role is passed to. Recorded from provider 5.100, and completed from its documentation.
    """
    table = files(__package__).joinpath("terraform_actions.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(table)
    return found


def needed_actions(resource: Resource, *, default_tags: bool = False) -> list[str]:
    """The IAM actions that an apply and a destroy of one resource call; nothing for an unknown type.

    Args:
        resource: The resource.
        default_tags: Whether the provider tags all resources.
    """
    row = terraform_actions().get(resource.type, {})
    groups = list(_GROUPS)
    if default_tags or resource.arguments.get("tags"):
        groups.append("tag")
    if any(resource.arguments.get(key) for key in _KEYS) or resource.type == "aws_s3_object":
        groups.append("key")
    return list(dict.fromkeys(action for group in groups for action in row.get(group, ())))


def examine_permissions(iam: Any, caller_arn: str, stack: SynthesizedStack, identity: Identity) -> Iterator[Finding]:
    """Simulate the actions of an apply and a destroy for the caller.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html

    Args:
        iam: A client of IAM.
        caller_arn: The ARN from GetCallerIdentity.
        stack: The stack to deploy.
        identity: Account, partition and region.
    """
    unknown = sorted({one.type for one in stack.resources} - set(terraform_actions()))
    if unknown:
        detail = f"the actions for these types are not known: {', '.join(unknown)}"
        yield Finding(_THING, "warning", detail, "Look up their actions, or try the apply in a sandbox account.")
    if caller_arn.endswith(":root"):
        yield Finding(_THING, "good", "the root user may do everything that its organization does not deny")
        return
    with asked(_THING, "iam:SimulatePrincipalPolicy, and iam:GetRole for an assumed role") as problems:
        source = _policy_source(iam, caller_arn)
        if source is None:
            remedy = "Run the command as the role or the user that will deploy."
            yield Finding(_THING, "warning", f"{caller_arn} is neither a user nor a role of this account", remedy)
            return
        yield from _simulate(iam, source, stack, identity)
    yield from problems


def _policy_source(iam: Any, caller_arn: str) -> str | None:
    """The ARN to simulate. The ARN of an assumed role lacks the role's path, so it is read from IAM."""
    kind, _, name = caller_arn.split(":", 5)[5].partition("/")
    if kind == "user":
        return caller_arn
    if kind == "assumed-role":
        return str(iam.get_role(RoleName=name.partition("/")[0])["Role"]["Arn"])
    return None


def _simulate(iam: Any, source: str, stack: SynthesizedStack, identity: Identity) -> Iterator[Finding]:
    """Simulate the actions of each resource type on the first resource of that type."""
    denied, count = False, 0
    for type_, resources in _by_type(stack).items():
        needed = (needed_actions(one, default_tags=stack.has_default_tags) for one in resources)
        actions = list(dict.fromkeys(action for some in needed for action in some))
        together = defaultdict[str, list[str]](list)
        for action in actions:
            together[arn_for(action, resources[0], stack, identity)].append(action)
        refused = [one for arn, asked_ in together.items() for one in _refused(iam, source, asked_, arn)]
        if service := terraform_actions()[type_].get("passes_role_to"):
            refused += _refused(iam, source, ["iam:PassRole"], _role_arn(stack, identity), service)
        count += len(actions)
        if refused:
            denied = True
            remedy = f"Allow them to {source} on {', '.join(together)}, or deploy as another identity."
            yield Finding(f"{_THING} for {type_}", "broken", f"denied: {', '.join(refused)}", remedy)
    if not denied:
        yield Finding(_THING, "good", f"{source} may call the {count} actions of an apply and a destroy; {_LIMITS}")


def _role_arn(stack: SynthesizedStack, identity: Identity) -> str:
    roles = stack.of_type("aws_iam_role")
    return arn_for("iam:PassRole", roles[0], stack, identity) if roles else "*"


def _refused(iam: Any, source: str, actions: Iterable[str], arn: str, passed_to: str | None = None) -> Iterator[str]:
    context = {"ContextKeyName": "iam:PassedToService", "ContextKeyType": "string"}
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source,
        ActionNames=list(actions),
        ResourceArns=[arn],
        ContextEntries=[{**context, "ContextKeyValues": [passed_to]}] if passed_to else [],
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                yield f"{result['EvalActionName']}{_why(result)}"


def _why(result: Mapping[str, Any]) -> str:
    """Why an action is denied, where the reason is not just a missing allow."""
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return " (by the organization's policies)"
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return " (by the permissions boundary)"
    if result["EvalDecision"] == "explicitDeny":
        return " (by an explicit deny)"
    if missing := result.get("MissingContextValues"):
        return f" (unless the condition on {', '.join(missing)} holds)"
    return ""


def _by_type(stack: SynthesizedStack) -> dict[str, list[Resource]]:
    grouped: dict[str, list[Resource]] = {}
    for resource in stack.resources:
        if resource.type in terraform_actions():
            grouped.setdefault(resource.type, []).append(resource)
    return grouped
