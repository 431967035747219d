"""What a new template and new parameters would change in a stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlops_constructs.rehearsal.services._base import Params
from mlops_constructs.rehearsal.stack_engine.intrinsics import Scope, TemplateError
from mlops_constructs.rehearsal.stack_engine.providers import Provider, changed_names
from mlops_constructs.rehearsal.stack_engine.stack import Desired, Stack
from mlops_constructs.rehearsal.stack_engine.template import ResourceDefinition

Providers = dict[str, Provider]


@dataclass(frozen=True)
class Place:
    """Where a stack lives: what the pseudo parameters stand for."""

    account_id: str
    region: str


def make_scope(
    stack: Stack,
    desired: Desired,
    place: Place,
    ref: Callable[[str], str],
    attribute: Callable[[str, str], Any],
) -> Scope:
    """What the names in a stack's template stand for."""
    values = desired.template.typed(desired.parameters)
    pseudo: dict[str, str | list[str]] = {
        "AWS::AccountId": place.account_id,
        "AWS::Partition": "aws",
        "AWS::Region": place.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com",
    }
    parameters = {**values, **pseudo}
    return Scope(parameters, desired.template.condition_values(parameters), ref, attribute)


def desired_properties(
    definition: ResourceDefinition, scope: Scope, desired: Desired, provider: Provider
) -> Params:
    """A resource's properties, resolved; the stack's tags are added to it as CloudFormation does."""
    properties: Params = scope.resolve(definition.properties)
    if not provider.takes_tags or not desired.tags:
        return properties
    own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    merged = {**{tag["Key"]: tag["Value"] for tag in desired.tags}, **own}
    return {**properties, "Tags": [{"Key": key, "Value": value} for key, value in merged.items()]}


def plan_changes(stack: Stack, desired: Desired, providers: Providers, place: Place) -> list[Params]:
    """The changes as DescribeChangeSet lists them; empty when the resources stay as they are."""
    unsettled: set[str] = set()

    def ref(name: str) -> str:
        return f"(new {name})" if name in unsettled else stack.resources[name].physical_id

    def attribute(name: str, wanted: str) -> Any:
        if name in unsettled:
            return f"(new {name}.{wanted})"
        return attribute_of(stack, name, wanted)

    scope = make_scope(stack, desired, place, ref, attribute)
    ordered = desired.template.ordered(scope.conditions)
    changes = []
    for definition in ordered:
        existing = stack.resources.get(definition.logical_id)
        if existing is None:
            unsettled.add(definition.logical_id)
            changes.append(_change("Add", definition.logical_id, definition.type))
            continue
        if existing.type != definition.type:
            raise TemplateError(
                f"Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{definition.logical_id}]"
            )
        provider = providers[definition.type]
        properties = desired_properties(definition, scope, desired, provider)
        names = changed_names(existing.properties, properties)
        if names:
            replaced = provider.needs_replacement(existing.properties, properties)
            if replaced:
                unsettled.add(definition.logical_id)
            extra = {
                "PhysicalResourceId": existing.physical_id,
                "Replacement": "True" if replaced else "False",
                "Scope": ["Properties"],
                "Details": [_detail(name) for name in sorted(names)],
            }
            changes.append(_change("Modify", definition.logical_id, definition.type, extra))
    kept = {definition.logical_id for definition in ordered}
    for name, resource in stack.resources.items():
        if name not in kept:
            changes.append(_change("Remove", name, resource.type, {"PhysicalResourceId": resource.physical_id}))
    return changes


def attribute_of(stack: Stack, name: str, wanted: str) -> Any:
    """A resource's attribute. Raises `TemplateError` when its type has no such attribute."""
    resource = stack.resources[name]
    if wanted not in resource.attributes:
        raise TemplateError(f"Template error: resource {name} does not support attribute type {wanted} in Fn::GetAtt")
    return resource.attributes[wanted]


def _change(action: str, logical_id: str, resource_type: str, extra: Params | None = None) -> Params:
    change = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": resource_type}
    return {"Type": "Resource", "ResourceChange": {**change, **(extra if extra is not None else {})}}


def _detail(name: str) -> Params:
    return {"Target": {"Attribute": "Properties", "Name": name}, "Evaluation": "Static"}
