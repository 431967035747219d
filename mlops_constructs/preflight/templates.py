"""The instances in an endpoint's CloudFormation template, with the defaults of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CONFIG, _SCALABLE = "AWS::SageMaker::EndpointConfig", "AWS::ApplicationAutoScaling::ScalableTarget"


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances of one variant.

    Attributes:
        instance_type: Such as ``ml.m5.large``.
        initial: Initial number of instances.
        maximum: Maximum number of instances, by autoscaling.
    """

    instance_type: str
    initial: int
    maximum: int


def is_endpoint_template(document: object) -> bool:
    """Whether a JSON document is a CloudFormation template with an endpoint."""
    return isinstance(document, dict) and any(True for _ in _resources(document, _CONFIG))


def fleets(template: Mapping[str, Any]) -> Iterator[Fleet]:
    """Yield the fleet of each variant of a template that has instances."""
    scaled = [int(_value(template, one["Properties"]["MaxCapacity"])) for one in _scalable_targets(template)]
    for config in _resources(template, _CONFIG):
        for variant in _present(template, config["Properties"]["ProductionVariants"]):
            if "ServerlessConfig" in variant:
                continue
            initial = int(_value(template, variant["InitialInstanceCount"]))
            yield Fleet(str(_value(template, variant["InstanceType"])), initial, max([initial, *scaled]))


def scales(template: Mapping[str, Any]) -> bool:
    """Whether the template registers a scalable target."""
    return any(True for _ in _scalable_targets(template))


def _scalable_targets(template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for target in _resources(template, _SCALABLE):
        if "Condition" not in target or _holds(template, template["Conditions"][target["Condition"]]):
            yield target


def _resources(template: Mapping[str, Any], type_: str) -> Iterator[Mapping[str, Any]]:
    resources = template.get("Resources")
    for resource in resources.values() if isinstance(resources, dict) else ():
        if isinstance(resource, dict) and resource.get("Type") == type_:
            yield resource


def _present(template: Mapping[str, Any], variants: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the variants, and those of a slot that may be occupied."""
    for variant in variants:
        condition, present, _ = variant.get("Fn::If", ("", variant, None))
        if not condition or _holds(template, template["Conditions"][condition]):
            yield present


def _value(template: Mapping[str, Any], value: Any) -> Any:
    """A literal, or the default of the parameter that is referred to."""
    if isinstance(value, dict) and set(value) == {"Ref"}:
        # Which slots are occupied has no default: then a condition on it holds, so that every slot counts.
        return template["Parameters"][value["Ref"]].get("Default")
    return value


def _holds(template: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    if "Condition" in condition:
        return _holds(template, template["Conditions"][condition["Condition"]])
    if "Fn::And" in condition:
        return all(_holds(template, one) for one in condition["Fn::And"])
    if "Fn::Not" in condition:
        return not _holds(template, condition["Fn::Not"][0])
    left, right = condition["Fn::Equals"]
    return str(_value(template, left)) == str(_value(template, right))
