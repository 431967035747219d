"""Parses and validates a template."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from mlops_constructs.local_aws.cloudformation.intrinsics import (
    PSEUDO_PARAMETERS,
    TemplateError,
    evaluate_conditions,
    references,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mlops_constructs.local_aws.service import Params

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
    }
)
_RESOURCE_MEMBERS = frozenset(
    {"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
)
_PARAMETER_TYPES = frozenset({"String", "Number", "CommaDelimitedList", "List<Number>"})


@dataclass(frozen=True)
class ResourceDefinition:
    """A resource as the template declares it."""

    logical_id: str
    type: str
    properties: Params
    depends_on: tuple[str, ...]
    condition: str | None
    retained: bool

    def dependencies(self, resources: Collection[str]) -> set[str]:
        """The resources that must exist before this one."""
        return {*self.depends_on, *(name for name, _ in references(self.properties) if name in resources)}


@dataclass(frozen=True)
class Template:
    """A template that has passed all checks for which no parameter values are needed."""

    body: str
    parameters: Mapping[str, Params]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceDefinition]
    outputs: Mapping[str, Params]
    description: str

    @classmethod
    def parse(cls, body: str, known_types: Collection[str]) -> Template:
        """Parse a template. Raises `TemplateError` with CloudFormation's wording, also for unsupported types."""
        content = _load(body)
        unknown = sorted(set(content) - _SECTIONS)
        if unknown:
            raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
        if not content.get("Resources"):
            raise TemplateError("Template format error: At least one Resources member must be defined.")
        resources = {name: _resource(name, item) for name, item in content["Resources"].items()}
        template = cls(
            body=body,
            parameters=content.get("Parameters", {}),
            conditions=content.get("Conditions", {}),
            resources=resources,
            outputs=content.get("Outputs", {}),
            description=content.get("Description", ""),
        )
        _check(template, known_types)
        return template

    def condition_values(self, parameters: Mapping[str, Any]) -> dict[str, bool]:
        """Whether each condition is true."""
        return evaluate_conditions(self.conditions, parameters)

    def ordered(self, conditions: Mapping[str, bool]) -> list[ResourceDefinition]:
        """The resources whose condition is true, each after those that it depends on."""
        wanted = {
            name: resource
            for name, resource in self.resources.items()
            if resource.condition is None or conditions[resource.condition]
        }
        waiting = {name: resource.dependencies(wanted) & set(wanted) for name, resource in wanted.items()}
        ordered: list[ResourceDefinition] = []
        while waiting:
            ready = [name for name, needed in waiting.items() if not needed & set(waiting)]
            if not ready:
                raise TemplateError(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
            for name in ready:
                del waiting[name]
                ordered.append(wanted[name])
        return ordered

    def parameter_values(self, given: Sequence[Params], previous: Mapping[str, str] | None = None) -> dict[str, str]:
        """The value of every parameter: the given value, the previous value, or the default."""
        known = {name: str(item["Default"]) for name, item in self.parameters.items() if "Default" in item}
        names = [item["ParameterKey"] for item in given]
        strange = sorted(set(names) - set(self.parameters))
        if strange:
            raise TemplateError(f"Parameters: [{', '.join(strange)}] do not exist in the template")
        for item in given:
            name = item["ParameterKey"]
            if not item.get("UsePreviousValue"):
                known[name] = item.get("ParameterValue", "")
            elif previous is not None and name in previous:
                known[name] = previous[name]
            else:
                raise TemplateError(f"Invalid input for parameter key {name}. No previous value exists.")
        missing = sorted(set(self.parameters) - set(known))
        if missing:
            raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
        for name, value in known.items():
            _check_parameter(name, value, self.parameters[name])
        return known

    def typed(self, values: Mapping[str, str]) -> dict[str, str | list[str]]:
        """Parameter values as Ref returns them: list types are split at commas."""
        return {
            name: value.split(",") if "List" in self.parameters[name]["Type"] else value
            for name, value in values.items()
        }


def _load(body: str) -> Params:
    try:
        content = json.loads(body)
    except json.JSONDecodeError:
        try:
            content = yaml.safe_load(body)
        except yaml.YAMLError as error:
            raise TemplateError(f"Template format error: neither JSON nor plain YAML: {error}") from error
    if not isinstance(content, dict):
        raise TemplateError("Template format error: unsupported structure.")
    return content


def _resource(name: str, item: Any) -> ResourceDefinition:
    if not re.fullmatch(r"[A-Za-z0-9]+", name):
        raise TemplateError(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(item, dict) or "Type" not in item:
        raise TemplateError(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    unknown = sorted(set(item) - _RESOURCE_MEMBERS)
    if unknown:
        raise TemplateError(f"Invalid template resource property '{unknown[0]}' in {name}")
    depends_on = item.get("DependsOn", [])
    return ResourceDefinition(
        logical_id=name,
        type=item["Type"],
        properties=item.get("Properties", {}),
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        condition=item.get("Condition"),
        retained=item.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"),
    )


def _check(template: Template, known_types: Collection[str]) -> None:
    unknown = sorted({item.type for item in template.resources.values()} - set(known_types))
    if unknown:
        raise TemplateError(
            f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]; "
            f"the local AWS supports only {', '.join(sorted(known_types))}"
        )
    for name, parameter in template.parameters.items():
        if parameter.get("Type") not in _PARAMETER_TYPES:
            raise TemplateError(f"the local AWS does not support parameters of type {parameter.get('Type')} ({name})")
    for name, resource in template.resources.items():
        strange = [other for other in resource.depends_on if other not in template.resources]
        strange += [] if resource.condition in (None, *template.conditions) else [str(resource.condition)]
        strange += _unknown_names(template, resource.properties)
        if strange:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(sorted(strange))}] "
                f"in the Resources block of the template ({name})"
            )
    strange = _unknown_names(template, list(template.outputs.values()))
    if strange:
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{', '.join(strange)}] "
            f"in the Outputs block of the template"
        )


def _unknown_names(template: Template, value: Any) -> list[str]:
    return [
        name
        for name, attribute in references(value)
        if name not in template.resources
        and (attribute is not None or (name not in template.parameters and name not in PSEUDO_PARAMETERS))
    ]


def _check_parameter(name: str, value: str, definition: Params) -> None:
    allowed = definition.get("AllowedValues")
    description = definition.get("ConstraintDescription")
    reason = ""
    if allowed is not None and value not in [str(item) for item in allowed]:
        reason = f"must be one of AllowedValues {allowed}"
    elif definition["Type"] == "Number" and not _is_number(value):
        reason = "must be a number"
    elif "AllowedPattern" in definition and not re.fullmatch(definition["AllowedPattern"], value):
        reason = f"must match pattern {definition['AllowedPattern']}"
    elif len(value) < int(definition.get("MinLength", 0)):
        reason = f"must contain at least {definition['MinLength']} characters"
    elif "MaxLength" in definition and len(value) > int(definition["MaxLength"]):
        reason = f"must contain at most {definition['MaxLength']} characters"
    elif definition["Type"] == "Number" and not _in_range(float(value), definition):
        reason = "must be within MinValue and MaxValue"
    if reason:
        raise TemplateError(f"Parameter '{name}' {description if description else reason}")


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _in_range(value: float, definition: Params) -> bool:
    low, high = definition.get("MinValue"), definition.get("MaxValue")
    return (low is None or value >= float(low)) and (high is None or value <= float(high))
