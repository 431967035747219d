"""What exists in the account and is not in Terraform's state, although the stack has it.

An apply that is killed leaves such things: Terraform writes its state some seconds after AWS has made something.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .asking import asked
from .lookups import LOOKS, look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .stack import Identity, Resource, SynthesizedStack
    from .state import TerraformState

    Clients = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Existing:
    """One thing to import.

    Attributes:
        address: Its address in Terraform.
        id: What Terraform imports it by.
    """

    address: str
    id: str


def existing(
    client: Clients, stack: SynthesizedStack, identity: Identity, state: TerraformState
) -> Iterator[Existing | Finding]:
    """Look for everything whose creation would fail because it exists, and for keys that would be made once more.

    Whatever else an apply has made, such as a policy or a rule, the next one writes again.

    Args:
        client: Creates a client of a service.
        stack: The stack that is applied.
        identity: The account.
        state: What Terraform manages.

    Yields:
        What exists, and a warning for each look that AWS has refused.
    """
    for resource in stack.resources:
        if resource.type == "aws_kms_key":
            with asked(resource.address, "kms:ListAliases, kms:ListKeys, kms:DescribeKey") as problems:
                yield from _keys(client("kms"), stack, resource, identity, state.id_of(resource.address))
            yield from problems
        elif resource.type in LOOKS and not state.has(resource.address):
            look = LOOKS[resource.type]
            if (name := stack.text(resource.arguments.get(look.argument), identity)) is None:
                continue
            with asked(resource.address, look.action) as problems:
                answer = look_up(client(look.service), look, name, identity)
                if answer is not None:
                    yield Existing(resource.address, _import_id(resource.type, name, answer, identity))
            yield from problems


def import_document(found: list[Existing]) -> str:
    """Return import blocks, as a file of Terraform 1.5 or newer beside the stack.

    https://developer.hashicorp.com/terraform/language/import
    """
    return json.dumps({"import": [{"to": one.address, "id": one.id} for one in found]}, indent=2) + "\n"


def _import_id(type_: str, name: str, answer: Mapping[str, Any], identity: Identity) -> str:
    """The id of the section "Import" of the type's page in the documentation of the AWS provider."""
    if type_ == "aws_sqs_queue":
        return str(answer["QueueUrl"])
    if type_ == "aws_budgets_budget":
        return f"{identity.account_id}:{name}"
    return name


def _keys(
    kms: Any, stack: SynthesizedStack, key: Resource, identity: Identity, managed: str | None
) -> Iterator[Existing | Finding]:
    """Find the key by its alias, or where that was not made, by its description, which names the pipeline.

    Unlike a name, a key is never in use: each apply that does not find one in the state makes another one.
    """
    used = _aliased(kms, stack, key, identity)
    if used is not None and managed is not None and used != managed:
        remedy = f"Do `terraform state rm {key.address}`, and run this again."
        detail = f"the state has the key {managed}, but what exists uses {used}"
        yield Finding(key.address, "broken", detail, remedy)
    wanted, alive = stack.text(key.arguments.get("description"), identity), []
    for page in kms.get_paginator("list_keys").paginate() if wanted else ():
        for one in page["Keys"]:
            described = kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"]
            if described.get("Description") == wanted and described["KeyState"] == "Enabled":
                alive.append(described)
    newest = max(alive, key=lambda one: one["CreationDate"], default={"KeyId": None})["KeyId"]
    chosen = managed or used or newest
    if managed is None and chosen is not None:
        yield Existing(key.address, chosen)
    for one in alive:
        if one["KeyId"] not in (chosen, used):
            remedy = f"Delete it then: aws kms schedule-key-deletion --key-id {one['KeyId']}"
            detail = "an apply that was interrupted has made it, and nothing uses it after the next apply"
            yield Finding(f"KMS key {one['KeyId']}", "warning", detail, remedy)


def _aliased(kms: Any, stack: SynthesizedStack, key: Resource, identity: Identity) -> str | None:
    """Return the key that the alias of the stack leads to."""
    aliases = [one for one in stack.of_type("aws_kms_alias") if key.address in str(one.arguments.get("target_key_id"))]
    names = [stack.text(one.arguments.get("name"), identity) for one in aliases]
    for page in kms.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] in names and "TargetKeyId" in alias:
                return str(alias["TargetKeyId"])
    return None
