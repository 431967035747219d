"""``deployment.json`` of a ``trainingjob.zip``: the settings of the two endpoints, as parameters of their templates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from check_dataset.fields import check_fields, number, parse_document, text_of, truth, whole_number
from check_dataset.problems import Problems
from handler_kit.instances import has_own_disks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    Collected = Callable[[], AbstractContextManager[None]]

METRIC = "SageMakerVariantInvocationsPerInstance"
AB_TESTS = (
    "with the argument ab_test of MLOpsPipeline every release becomes a challenger beside the champion; without it the"
    " new model gets all requests, on one variant, after the approval"
)

_SECTIONS = {"DevelopmentEndpoint": "dev", "ProductionEndpoint": "production"}
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_SCALING = {
    "MinCapacity": ("MinCapacity", 1, 1000),
    "MaxCapacity": ("MaxCapacity", 1, 1000),
    "ScaleInCooldown": ("ScaleInCooldown", 0, 3600),
    "ScaleOutCooldown": ("ScaleOutCooldown", 0, 3600),
}


@dataclass
class Endpoints:
    """Environment to template parameters, and notes about fields that the pipeline does not use as they are."""

    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def parse_endpoints(text: str, place: str, min_instances: Mapping[str, str]) -> Endpoints:
    """Read the file; ``min_instances`` is the minimum number of instances for each environment's rollout.

    Raises ConfigurationError with all problems, each with the field.
    """
    value = parse_document(text, place, "deployment description")
    problems = Problems()
    found = _endpoints(value, min_instances, lambda: problems.collected(place))
    problems.raise_any()
    return found


def _endpoints(value: Any, min_instances: Mapping[str, str], collected: Collected) -> Endpoints:
    found = Endpoints()
    with collected():
        check_fields(value, "the file", required=set(), optional={"EndpointPrefix", *_SECTIONS})
    if not isinstance(value, dict):
        return found
    if "EndpointPrefix" in value:
        found.notes.append("EndpointPrefix: the pipeline names its endpoints itself")
    for section, environment in _SECTIONS.items():
        if section in value:
            minimum = int(min_instances.get(environment, "1"))
            found.parameters[environment] = _endpoint(value[section], section, minimum, found.notes, collected)
    return found


def _endpoint(value: Any, place: str, minimum: int, notes: list[str], collected: Collected) -> dict[str, str]:
    options = {
        "InferenceMonitoring",
        "InferenceMonitoringSampling",
        "InferenceMonitoringOutputBucket",
        "ABTests",
        "InstanceType",
        "InitialInstanceCount",
        "InitialVariantWeight",
        "AutoScaling",
    }
    with collected():
        check_fields(value, place, required=set(), optional=options)
    if not isinstance(value, dict):
        return {}
    with collected():
        if truth(value.get("ABTests", False), f"{place}.ABTests"):
            notes.append(f"{place}.ABTests: {AB_TESTS}")
    if "InitialVariantWeight" in value:
        notes.append(f"{place}.InitialVariantWeight: a challenger gets the challenger_weight of the pipeline's ab_test")
    if "InferenceMonitoringOutputBucket" in value:
        notes.append(f"{place}.InferenceMonitoringOutputBucket: captured requests stay in the artifact bucket")
    parameters: dict[str, str] = {}
    for read in (_type, lambda value, place: _count(value, place, minimum), _capture, _scaling):
        with collected():
            parameters.update(read(value, place))
    return parameters


def _type(value: dict[str, Any], place: str) -> dict[str, str]:
    if "InstanceType" not in value:
        return {}
    kind = text_of(value["InstanceType"], f"{place}.InstanceType")
    if not _INSTANCE_TYPE.fullmatch(kind):
        raise ValueError(f"{place}.InstanceType must look like 'ml.<family>.<size>', got {kind!r}")
    return {"InstanceType": kind, "EncryptVolume": "false" if has_own_disks(kind) else "true"}


def _count(value: dict[str, Any], place: str, minimum: int) -> dict[str, str]:
    if "InitialInstanceCount" not in value:
        return {}
    where = f"{place}.InitialInstanceCount"
    count = whole_number(value["InitialInstanceCount"], where, 1, 1000)
    if count < minimum:
        raise ValueError(f"{where} is {count}; the configured rollout needs at least {minimum} instances")
    return {"InitialInstanceCount": str(count)}


def _capture(value: dict[str, Any], place: str) -> dict[str, str]:
    if "InferenceMonitoring" not in value:
        return {}
    if not truth(value["InferenceMonitoring"], f"{place}.InferenceMonitoring"):
        return {"CaptureSampling": "0"}
    if "InferenceMonitoringSampling" not in value:
        raise ValueError(f"{place}.InferenceMonitoring is true, but InferenceMonitoringSampling is missing")
    share = whole_number(value["InferenceMonitoringSampling"], f"{place}.InferenceMonitoringSampling", 1, 100)
    return {"CaptureSampling": str(share)}


def _scaling(value: dict[str, Any], place: str) -> dict[str, str]:
    if "AutoScaling" not in value:
        return {}
    scaling, where = value["AutoScaling"], f"{place}.AutoScaling"
    if scaling is None:
        return {"Autoscales": "false"}
    check_fields(scaling, where, required=set(), optional={*_SCALING, "TargetValue", "PredefinedMetricType"})
    if scaling.get("PredefinedMetricType", METRIC) != METRIC:
        raise ValueError(f"{where}.PredefinedMetricType must be {METRIC}, got {scaling['PredefinedMetricType']!r}")
    parameters = {"Autoscales": "true"}
    for name, (parameter, low, high) in _SCALING.items():
        if name in scaling:
            parameters[parameter] = str(whole_number(scaling[name], f"{where}.{name}", low, high))
    if "TargetValue" in scaling:
        parameters["TargetValue"] = f"{number(scaling['TargetValue'], f'{where}.TargetValue', 0.001, 1e9):.15g}"
    _check_scaling(value, parameters, where)
    return parameters


def _check_scaling(value: dict[str, Any], parameters: dict[str, str], where: str) -> None:
    low, high = (
        int(parameters.get(name, default)) for name, default in (("MinCapacity", "1"), ("MaxCapacity", "1000"))
    )
    if low > high:
        raise ValueError(f"{where}: MinCapacity {low} is above MaxCapacity {high}")
    count = value.get("InitialInstanceCount")
    if isinstance(count, int) and not low <= count <= high:
        raise ValueError(f"{where}: InitialInstanceCount {count} is not within {low} to {high}")
    if str(value.get("InstanceType", "")).startswith("ml.t2."):
        raise ValueError(f"{where}: burstable T2 instances cannot autoscale; use 'ml.m5.large'")
