"""What a data set may request in place of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError
from handler_kit.serving import mode_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from check_dataset.settings import Document

_SECTIONS = {"dev": "DevelopmentEndpoint", "production": "ProductionEndpoint"}
_COUNTS = ("InitialInstanceCount", "MinCapacity", "MaxCapacity")
_SCALING = ("Autoscales", "MinCapacity", "MaxCapacity", "TargetValue", "ScaleInCooldown", "ScaleOutCooldown")


def check_limits(
    request: Mapping[str, Mapping[str, Any]], limits: Document, configured: Mapping[str, Mapping[str, str]], place: str
) -> None:
    """Refuse a request beyond the limits. Raises ConfigurationError that names every field, its value and its limit.

    Args:
        request: ``training``: members of CreateTrainingJob; ``endpoints``: parameters of the templates.
        limits: The limits.
        configured: Environment to the configured template parameters.
        place: Where the request is, for the message.
    """
    problems = list(_training_problems(request["training"], limits.training))
    for environment, parameters in request["endpoints"].items():
        allowed = getattr(limits, environment)
        found = _endpoint_problems(parameters, allowed, configured[environment])
        problems += [f"{_SECTIONS[environment]}.{problem}" for problem in found]
    if problems:
        raise ConfigurationError(
            f"{place}: requests what this pipeline does not allow: {'; '.join(problems)}. Remove these, or allow them"
            " in the pipeline with Dataset(requests=Requests(...))"
        )


def _training_problems(members: Mapping[str, Any], allowed: Mapping[str, Any]) -> Iterator[str]:
    resources, stopping = members.get("ResourceConfig", {}), members.get("StoppingCondition", {})
    if "InstanceType" in resources:
        yield from _type_problems("ResourceConfig.InstanceType", resources["InstanceType"], allowed)
    for place, value, limit in (
        ("ResourceConfig.InstanceCount", resources.get("InstanceCount"), allowed["max_instance_count"]),
        ("ResourceConfig.VolumeSizeInGB", resources.get("VolumeSizeInGB"), allowed["max_volume_size_in_gb"]),
        (
            "StoppingCondition.MaxRuntimeInSeconds",
            stopping.get("MaxRuntimeInSeconds"),
            allowed["max_runtime_in_seconds"],
        ),
    ):
        if value is not None and value > limit:
            yield f"{place} is {value} (at most {limit})"
    if members.get("Environment") and not allowed["environment"]:
        yield f"Environment sets {', '.join(sorted(members['Environment']))[:200]} (must be empty)"


def _endpoint_problems(
    parameters: Mapping[str, str], allowed: Mapping[str, Any], configured: Mapping[str, str]
) -> Iterator[str]:
    # A serverless or an asynchronous endpoint has not every parameter of a real-time endpoint.
    mode = mode_of(configured)
    if unknown := [name for name in parameters if mode != "real-time" and name not in configured]:
        yield f"{', '.join(unknown)}: the endpoint is {mode} and has no such setting"
        return
    changed = {name: value for name, value in parameters.items() if not _equal(value, configured.get(name, ""))}
    if "InstanceType" in changed:
        yield from _type_problems("InstanceType", changed["InstanceType"], allowed)
    scaling = () if allowed["autoscaling"] else _SCALING
    if names := [name for name in scaling if name in changed]:
        texts = ", ".join(f"{name} {changed[name]} (configured: {configured[name]})" for name in names)
        yield f"AutoScaling: {texts}"
    low, high = allowed["min_instance_count"], allowed["max_instance_count"]
    for name in _COUNTS:
        if name in changed and name not in scaling and not low <= int(changed[name]) <= high:
            yield f"{name} is {changed[name]} ({low} to {high})"
    if "CaptureSampling" in changed:
        yield from _capture_problems(changed["CaptureSampling"], allowed, configured["CaptureSampling"])


def _capture_problems(value: str, allowed: Mapping[str, Any], configured: str) -> Iterator[str]:
    lowest = allowed["min_sampling_percentage"]
    if lowest is None:
        yield f"InferenceMonitoring captures {value} % of the requests (configured: {configured} %)"
    elif int(value) < lowest:
        yield f"InferenceMonitoring captures {value} % of the requests (at least {lowest} %)"


def _type_problems(place: str, value: str, allowed: Mapping[str, Any]) -> Iterator[str]:
    if value not in allowed["instance_types"]:
        yield f"{place} is {value} (allowed: {', '.join(allowed['instance_types'])})"


def _equal(one: str, other: str) -> bool:
    """Numbers are equal by value: a target of 750 is the same as 750.0."""
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other
