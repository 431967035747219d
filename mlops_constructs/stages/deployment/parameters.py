"""The parameters of an endpoint's stack: those of the candidate, and those that a data set may set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...config import Autoscaling
from ...config._instances import has_own_disks
from .modes import ASYNC_URI, BACKLOG, serverless_parameters
from .slots import BOTH, SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config import Endpoint
    from ...config.requests import AllowedEndpoint
    from .slots import Slot

# Of a model: in a template with two slots, each has its own.
MODEL_PARAMETERS = ("Image", "ModelDataUrl", "ModelPackageArn", "ExecutionId")
PARAMETERS = (
    *MODEL_PARAMETERS,
    "ExecutionRoleArn",
    "KmsKeyArn",
    "EndpointName",
    "CaptureUri",
)
# In place of parameters that these modes do not use.
_OF_MODE = {"real-time": (), "serverless": (), "asynchronous": (ASYNC_URI,)}
_NOT_OF_MODE = {"real-time": (), "serverless": ("KmsKeyArn", "CaptureUri"), "asynchronous": ("CaptureUri",)}
# Only with a network.
NETWORK_PARAMETERS = ("SubnetIds", "SecurityGroupIds")
# When `mlops pause` deleted the endpoint, or RUNS. No release sets it, so that each one brings its endpoint back.
PAUSED, RUNS = "Paused", "no"
_TRUTH = {"Type": "String", "AllowedValues": ["true", "false"]}
# Of the endpoint as a whole, also where it has two slots.
_SHARED_CHOICES = ("EncryptVolume", "CaptureSampling")


def fixed_parameters(config: Endpoint) -> list[str]:
    """Return the names of the parameters without a default."""
    topics = [] if config.async_inference_config is None else config.async_inference_config.topics
    names = [name for name in PARAMETERS if name not in _NOT_OF_MODE[config.mode]]
    return [*names, *_OF_MODE[config.mode], *topics]


def endpoint_parameters(
    config: Endpoint, allowed: AllowedEndpoint, slots: Sequence[Slot], *, in_vpc: bool
) -> dict[str, Any]:
    """Return the template's parameters."""
    text = {"Type": "String"}
    choices = _choices(config, allowed)
    parameters: dict[str, Any] = {
        **{name: text for name in fixed_parameters(config)},
        **{name: {"Type": "CommaDelimitedList"} for name in NETWORK_PARAMETERS if in_vpc},
        PAUSED: {**text, "Default": RUNS, "Description": "When the endpoint was paused, or no"},
    }
    if len(slots) == 1:
        return {**parameters, **choices}
    # The package and the execution without a prefix are the champion's.
    parameters = {name: value for name, value in parameters.items() if name not in ("Image", "ModelDataUrl")}
    parameters |= {name: choices[name] for name in _SHARED_CHOICES}
    occupied = [*(slot.variant for slot in slots), BOTH]
    parameters[SLOTS] = {"Type": "String", "AllowedValues": occupied, "Description": "Which slots are occupied"}
    if config.rollout is not None:
        parameters["IsGuarded"] = {**_TRUTH, "Description": "Whether the deployment policy is used"}
    for slot in slots:
        own = {
            **{name: text for name in MODEL_PARAMETERS},
            "Weight": {"Type": "Number", "MinValue": 0, "MaxValue": 1},
            **{name: value for name, value in choices.items() if name not in _SHARED_CHOICES},
        }
        parameters |= {f"{slot.prefix}{name}": value for name, value in own.items()}
    return parameters


def fleet_parameters(config: Endpoint, allowed: AllowedEndpoint) -> dict[str, str]:
    """Return the configured parameters of the fleet, which CheckDataset uses to check a release."""
    return {name: str(choice["Default"]) for name, choice in _choices(config, allowed).items()}


def _choices(config: Endpoint, allowed: AllowedEndpoint) -> dict[str, Any]:
    """Return the parameters with a default; register_model sets them only when the data set does."""
    if config.serverless_config is not None:
        return serverless_parameters(config.serverless_config)
    choices = _fleet(config, allowed)
    if config.mode == "asynchronous":
        del choices["CaptureSampling"], choices["TargetValue"]
        target = Autoscaling.on_backlog() if config.autoscaling is None else config.autoscaling
        choices[BACKLOG] = {"Type": "Number", "Default": target.backlog_per_instance}
        choices["InitialInstanceCount"]["MinValue"] = max(1, allowed.min_instance_count)
    return choices


def _fleet(config: Endpoint, allowed: AllowedEndpoint) -> dict[str, Any]:
    capture = config.data_capture
    number = config.initial_instance_count
    scaling = config.autoscaling or Autoscaling(min_capacity=number, max_capacity=number)
    count = {"Type": "Number", "MinValue": allowed.min_instance_count, "MaxValue": allowed.max_instance_count}
    return {
        "InstanceType": {
            "Type": "String",
            "AllowedValues": allowed.instance_types,
            "Default": config.instance_type,
        },
        "InitialInstanceCount": {**count, "Default": number},
        "EncryptVolume": {**_TRUTH, "Default": _truth(not has_own_disks(config.instance_type))},
        "CaptureSampling": {
            "Type": "Number",
            "MinValue": 0,
            "MaxValue": 100,
            "Default": 0 if capture is None else capture.sampling_percentage,
            "Description": "Percent of the requests that are kept; 0 keeps none",
        },
        "Autoscales": {**_TRUTH, "Default": _truth(config.autoscaling is not None)},
        "MinCapacity": {**count, "Default": scaling.min_capacity},
        "MaxCapacity": {**count, "Default": scaling.max_capacity},
        "TargetValue": {"Type": "Number", "Default": scaling.invocations_per_instance},
        "ScaleInCooldown": {"Type": "Number", "MinValue": 0, "Default": scaling.scale_in_cooldown_seconds},
        "ScaleOutCooldown": {"Type": "Number", "MinValue": 0, "Default": scaling.scale_out_cooldown_seconds},
    }


def _truth(value: bool) -> str:
    return "true" if value else "false"
