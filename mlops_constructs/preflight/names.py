"""Names in the stack that may already be in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .asking import asked, code_of, is_denied
from .lookups import LOOKS, look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .lookups import Look
    from .stack import Identity, Resource, SynthesizedStack
    from .state import TerraformState

    Clients = Callable[[str], Any]


def examine_names(
    client: Clients, stack: SynthesizedStack, identity: Identity, state: TerraformState
) -> Iterator[Finding]:
    """Look up each name, unless Terraform's state says that it belongs to this stack.

    Args:
        client: Creates a client of a service.
        stack: The stack with the names.
        identity: For names that contain the account or the region.
        state: What Terraform manages already.
    """
    free, taken = 0, False
    for resource in stack.resources:
        look = LOOKS.get(resource.type)
        name = stack.text(resource.arguments.get(look.argument), identity) if look else None
        if look is None or name is None or state.has(resource.address):
            continue
        findings = list(_judge(client(look.service), look, resource, name, identity, state))
        taken, free = taken or bool(findings), free + (not findings)
        yield from findings
    for finding in _stacks(client("cloudformation"), stack, identity, state):
        taken = True
        yield finding
    if not taken:
        yield Finding("names", "good", f"the {free} names that Terraform does not manage yet are free")


def _judge(
    client: Any, look: Look, resource: Resource, name: str, identity: Identity, state: TerraformState
) -> Iterator[Finding]:
    thing = f"name {name}"
    with asked(thing, look.action) as problems:
        owner = _owner(client, look, name, identity)
        if owner is not None:
            yield _taken(thing, resource.type, owner, state, resource.address)
    yield from problems


def _owner(client: Any, look: Look, name: str, identity: Identity) -> str | None:
    """Who uses the name, as shown to people; None when nobody does."""
    from botocore.exceptions import ClientError

    try:
        found = look_up(client, look, name, identity)
    except ClientError as error:
        if look.service == "s3" and is_denied(error):
            return "another AWS account, or this account but not visible to you"
        if look.service == "s3" and code_of(error) in ("301", "PermanentRedirect"):
            return "a bucket in another region"
        raise
    return None if found is None else "this account"


def _taken(thing: str, type_: str, owner: str, state: TerraformState, address: str) -> Finding:
    detail = f"{type_} with this name exists ({owner})"
    if owner == "this account" and not state.known:
        remedy = (
            "If an earlier apply of this stack created it, do nothing; give the state with --state to find out."
            " Otherwise set name_prefix to another value."
        )
        return Finding(thing, "warning", f"{detail}; {state.source} is not read here", remedy)
    remedy = "Set name_prefix to another value"
    if owner == "this account":
        remedy += f", delete the existing resource, or let `mlops adopt` import it to {address}"
    return Finding(thing, "broken", f"{detail}, and not in {state.source}", f"{remedy}.")


def _stacks(
    cloudformation: Any, stack: SynthesizedStack, identity: Identity, state: TerraformState
) -> Iterator[Finding]:
    """Look for the stacks that the pipeline's CloudFormation actions create; Terraform never manages those."""
    pipelines = stack.of_type("aws_codepipeline")
    ours = any(state.has(pipeline.address) for pipeline in pipelines)
    names = dict.fromkeys(stack.text(action.get("StackName"), identity) for action in stack.actions("CloudFormation"))
    for name in names:
        thing = f"CloudFormation stack {name}"
        if name is None:
            continue
        with asked(thing, "cloudformation:DescribeStacks") as problems:
            status = _status(cloudformation, name)
            if status == "ROLLBACK_COMPLETE":
                remedy = (
                    f"Delete it, because it never served requests: aws cloudformation delete-stack --stack-name {name}"
                )
                yield Finding(thing, "broken", "its first creation failed, and it cannot be updated", remedy)
            elif status is not None and not ours:
                remedy = "Set name_prefix to another value, or delete the stack if its endpoint is not in use."
                yield Finding(thing, "broken" if state.known else "warning", f"exists already ({status})", remedy)
        yield from problems


def _status(cloudformation: Any, name: str) -> str | None:
    from botocore.exceptions import ClientError

    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        # "Stack with id NAME does not exist"
        if code_of(error) == "ValidationError":
            return None
        raise
