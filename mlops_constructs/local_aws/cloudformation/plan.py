"""The changes that a new template and new parameters make to a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError
from mlops_constructs.local_aws.cloudformation.providers import Provider, changed_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.cloudformation.stack import Desired, Stack
    from mlops_constructs.local_aws.cloudformation.template import ResourceDefinition
    from mlops_constructs.local_aws.service import Params

Providers = dict[str, Provider]


@dataclass(frozen=True)
class Place:
    """The account and region of a stack: the values of its pseudo parameters."""

    account_id: str
    partition: str
    region: str
    url_suffix: str


def make_scope(
    stack: Stack,
    desired: Desired,
    place: Place,
    ref: Callable[[str], str],
    attribute: Callable[[str, str], Any],
) -> Scope:
    """The values of the names in a stack's template."""
    values = desired.template.typed(desired.parameters)
    pseudo: dict[str, str | list[str]] = {
        "AWS::AccountId": place.account_id,
        "AWS::Partition": place.partition,
        "AWS::Region": place.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": place.url_suffix,
    }
    parameters = {**values, **pseudo}
    return Scope(parameters, desired.template.condition_values(parameters), ref, attribute)


def desired_properties(definition: ResourceDefinition, scope: Scope, desired: Desired, provider: Provider) -> Params:
    """A resource's resolved properties, to which the stack's tags are added as CloudFormation does."""
    properties: Params = scope.resolve(definition.properties)
    if not provider.takes_tags or not desired.tags:
        return properties
    own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    merged = {**{tag["Key"]: tag["Value"] for tag in desired.tags}, **own}
    return {**properties, "Tags": [{"Key": key, "Value": value} for key, value in merged.items()]}


def plan_changes(stack: Stack, desired: Desired, providers: Providers, place: Place) -> list[Params]:
    """The changes as DescribeChangeSet lists them; empty when no resource changes."""
    return _Plan(stack, desired, providers, place).changes()


class _Plan:
    """Compares properties; the ids of resources that do not exist yet are placeholders."""

    def __init__(self, stack: Stack, desired: Desired, providers: Providers, place: Place) -> None:
        self._stack = stack
        self._desired = desired
        self._providers = providers
        self._scope = make_scope(stack, desired, place, self._ref, self._attribute)
        self._unsettled: set[str] = set()

    def changes(self) -> list[Params]:
        ordered = self._desired.template.ordered(self._scope.conditions)
        planned = [self._change(definition) for definition in ordered]
        kept = {definition.logical_id for definition in ordered}
        removed = [
            _entry("Remove", name, resource.type, {"PhysicalResourceId": resource.physical_id})
            for name, resource in self._stack.resources.items()
            if name not in kept
        ]
        return [*(change for change in planned if change is not None), *removed]

    def _change(self, definition: ResourceDefinition) -> Params | None:
        name, provider = definition.logical_id, self._providers[definition.type]
        properties = desired_properties(definition, self._scope, self._desired, provider)
        existing = self._stack.resources.get(name)
        if existing is None:
            self._unsettled.add(name)
            return _entry("Add", name, definition.type)
        if existing.type != definition.type:
            raise TemplateError(
                f"Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{name}]"
            )
        changed = changed_names(existing.properties, properties)
        if not changed:
            return None
        replaced = provider.needs_replacement(existing.properties, properties)
        if replaced:
            self._unsettled.add(name)
        details = {
            "PhysicalResourceId": existing.physical_id,
            "Replacement": "True" if replaced else "False",
            "Scope": ["Properties"],
            "Details": [_detail(changed_name) for changed_name in sorted(changed)],
        }
        return _entry("Modify", name, definition.type, details)

    def _ref(self, name: str) -> str:
        return f"(new {name})" if name in self._unsettled else self._stack.resources[name].physical_id

    def _attribute(self, name: str, wanted: str) -> Any:
        if name in self._unsettled:
            return f"(new {name}.{wanted})"
        return attribute_of(self._stack, name, wanted)


def attribute_of(stack: Stack, name: str, wanted: str) -> Any:
    """A resource's attribute. Raises `TemplateError` when its type has no such attribute."""
    resource = stack.resources[name]
    if wanted not in resource.attributes:
        raise TemplateError(f"Template error: resource {name} does not support attribute type {wanted} in Fn::GetAtt")
    return resource.attributes[wanted]


def _entry(action: str, logical_id: str, resource_type: str, extra: Params | None = None) -> Params:
    change = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": resource_type}
    return {"Type": "Resource", "ResourceChange": {**change, **(extra if extra is not None else {})}}


def _detail(name: str) -> Params:
    return {"Target": {"Attribute": "Properties", "Name": name}, "Evaluation": "Static"}
