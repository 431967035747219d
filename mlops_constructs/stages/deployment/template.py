"""The CloudFormation template of one endpoint, as plain data.

CloudFormation deploys endpoints, not Terraform, for three reasons: it keeps instance counts and weights over updates,
it rolls an update back on alarms, and CodePipeline has an action for it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-endpoint.html
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...config.requests import AllowedEndpoint, EndpointLimits
from .alarms import alarm_names, rollback_alarms
from .autoscaling import autoscaling
from .modes import ASYNC_URI, PROVISIONS, async_inference, serverless_variant, storage
from .parameters import PAUSED, RUNS, endpoint_parameters
from .slots import ONLY, SLOTS, TWO, no_value_unless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...config import Endpoint, Rollout
    from ...config.serving import Mode
    from .slots import Slot

# The condition that is true while the endpoint is not paused.
_RUNS = "Runs"
_ROUTING = {"canary": "CANARY", "linear": "LINEAR", "all_at_once": "ALL_AT_ONCE"}
Json = dict[str, Any]
_RETAINED: Mapping[Mode, Json] = {
    "real-time": {"RetainAllVariantProperties": True},
    # It has one variant, and no instances.
    "serverless": {},
    # A release starts instances also while autoscaling has removed all of them: otherwise nothing would test them.
    "asynchronous": {
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
    },
}


def endpoint_template(
    config: Endpoint,
    allowed: AllowedEndpoint | None = None,
    *,
    in_vpc: bool = False,
    tags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    ab_test: bool = False,
) -> Json:
    """Make the template of an endpoint that serves one model, or with ``ab_test`` a champion and a challenger.

    A configured value is the default of a parameter, so that a data set with its own ``deployment.json`` can change it
    for its release.

    Args:
        config: The endpoint.
        allowed: What a data set may set for its release; None for nothing but the configuration.
        in_vpc: Whether the model has a VPC.
        tags: The user's tags and the pipeline's.
        environment: Environment variables of a script's container; the region is added.
        ab_test: Whether it has two slots; PlaceVariants sets the parameters of both for each deployment.
    """
    slots = TWO if ab_test else ONLY
    limits = allowed or AllowedEndpoint.of(config, EndpointLimits())
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A SageMaker endpoint that serves one model package"
        + (", or two of them in an A/B test" if ab_test else ""),
        "Parameters": endpoint_parameters(config, limits, slots, in_vpc=in_vpc),
        "Conditions": _conditions(config, slots),
        "Resources": _resources(config, _key_values(tags), slots, environment, in_vpc=in_vpc),
        "Outputs": {
            "EndpointName": {"Condition": _RUNS, "Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
            "ModelPackageArn": {"Value": {"Ref": "ModelPackageArn"}},
            # Those who invoke the endpoint find its folders here.
            **({ASYNC_URI: {"Value": {"Ref": ASYNC_URI}}} if config.mode == "asynchronous" else {}),
        },
    }


def _key_values(tags: Mapping[str, str] | None) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in ({} if tags is None else tags).items()]


def _conditions(config: Endpoint, slots: Sequence[Slot]) -> Json:
    def is_true(parameter: str) -> Json:
        return {"Fn::Equals": [{"Ref": parameter}, "true"]}

    def is_set(parameter: str) -> Json:
        return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, "0"]}]}

    runs = {"Condition": _RUNS}
    conditions: Json = {_RUNS: {"Fn::Equals": [{"Ref": PAUSED}, RUNS]}}
    if config.mode == "serverless":
        return {**conditions, PROVISIONS: is_set("ProvisionedConcurrency")}
    conditions |= {
        **({"Captures": is_set("CaptureSampling")} if config.mode == "real-time" else {}),
        "EncryptsVolume": is_true("EncryptVolume"),
    }
    for slot in slots:
        if slot.condition is None:
            conditions[slot.scales] = {"Fn::And": [runs, is_true("Autoscales")]}
            continue
        conditions[slot.condition] = {"Fn::Not": [{"Fn::Equals": [{"Ref": SLOTS}, _other(slot).variant]}]}
        scales = [runs, {"Condition": slot.condition}, is_true(f"{slot.prefix}Autoscales")]
        conditions[slot.scales] = {"Fn::And": scales}
    if slots == TWO and config.rollout is not None:
        # An update that changes the set of variants can have no deployment policy.
        # https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
        conditions["Guarded"] = is_true("IsGuarded")
    return conditions


def _other(slot: Slot) -> Slot:
    return next(one for one in TWO if one != slot)


def _resources(
    config: Endpoint, tags: list[Json], slots: Sequence[Slot], environment: Mapping[str, str], *, in_vpc: bool
) -> Json:
    resources: Json = {}
    for slot in slots:
        isolation = config.mode != "serverless"
        resources[slot.resource("Model")] = _model(slot, tags, environment, isolation=isolation, in_vpc=in_vpc)
    resources["EndpointConfig"] = _endpoint_config(config, tags, slots)
    for slot in slots:
        if config.rollout is not None:
            resources |= rollback_alarms(config.rollout, slot, config.mode)
    resources["Endpoint"] = _endpoint(config, tags, slots)
    for slot in slots:
        resources |= autoscaling(config, slot)
    return resources


def _model(slot: Slot, tags: list[Json], environment: Mapping[str, str], *, isolation: bool, in_vpc: bool) -> Json:
    model: Json = {
        "Type": "AWS::SageMaker::Model",
        "Properties": {
            "ExecutionRoleArn": {"Ref": "ExecutionRoleArn"},
            # SageMaker does not support it for serverless endpoints.
            **({"EnableNetworkIsolation": True} if isolation else {}),
            "PrimaryContainer": {"Image": slot.value("Image"), "ModelDataUrl": slot.value("ModelDataUrl")},
            # Its own package and execution: a challenger must not change the champion's model.
            "Tags": tags + _release_tags(slot.prefix),
        },
    }
    if environment:
        variables = {**environment, "SAGEMAKER_REGION": {"Ref": "AWS::Region"}}
        model["Properties"]["PrimaryContainer"]["Environment"] = variables
    if in_vpc:
        vpc = {"Subnets": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
        model["Properties"]["VpcConfig"] = vpc
    return slot.while_occupied(model)


def _endpoint_config(config: Endpoint, tags: list[Json], slots: Sequence[Slot]) -> Json:
    last: Json = {"Tags": tags + _release_tags()}
    if config.serverless_config is not None:
        return _config({"ProductionVariants": [serverless_variant(slot) for slot in slots], **last})
    fleet: Json = {
        "ProductionVariants": [slot.if_occupied(_variant(config, slot)) for slot in slots],
        "KmsKeyId": no_value_unless("EncryptsVolume", {"Ref": "KmsKeyArn"}),
    }
    if config.async_inference_config is not None:
        return _config({**fleet, "AsyncInferenceConfig": async_inference(config.async_inference_config), **last})
    return _config({**fleet, "DataCaptureConfig": no_value_unless("Captures", _data_capture()), **last})


def _config(properties: Json) -> Json:
    return {"Type": "AWS::SageMaker::EndpointConfig", "Properties": properties}


def _variant(config: Endpoint, slot: Slot) -> Json:
    return {
        "VariantName": slot.variant,
        "ModelName": slot.attribute("Model", "ModelName"),
        "InstanceType": slot.value("InstanceType"),
        "InitialInstanceCount": slot.value("InitialInstanceCount"),
        "InitialVariantWeight": 1.0 if slot.condition is None else slot.value("Weight"),
        "ContainerStartupHealthCheckTimeoutInSeconds": config.container_startup_health_check_timeout_in_seconds,
        **storage(config.volume_size_in_gb, config.model_data_download_timeout_in_seconds),
    }


def _data_capture() -> Json:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": {"Ref": "CaptureSampling"},
        "DestinationS3Uri": {"Ref": "CaptureUri"},
        "KmsKeyId": {"Ref": "KmsKeyArn"},
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        # Types that are not listed are stored as base64.
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }


def _endpoint(config: Endpoint, tags: list[Json], slots: Sequence[Slot]) -> Json:
    properties: Json = {
        # The endpoint's name never changes, so that callers can keep it. The model and the configuration get no name:
        # CloudFormation cannot replace a resource that has a fixed name.
        "EndpointName": {"Ref": "EndpointName"},
        "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]},
        # A deployment keeps the counts and weights that autoscaling or a person has set. Data capture is not a
        # property of a variant: the setting of the new configuration takes effect.
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
        **_RETAINED[config.mode],
        "Tags": tags + _release_tags(),
    }
    endpoint: Json = {"Type": "AWS::SageMaker::Endpoint", "Condition": _RUNS, "Properties": properties}
    if config.rollout is None:
        return endpoint
    policy = _deployment(config.rollout, slots)
    if slots == ONLY:
        properties["DeploymentConfig"] = policy
        return endpoint
    properties["DeploymentConfig"] = no_value_unless("Guarded", policy)
    # When an update changes the set of variants, nothing may come after the endpoint: a failure there would roll the
    # endpoint back with its old deployment policy, which SageMaker refuses for another set of variants.
    return {**endpoint, "DependsOn": [logical_id for slot in slots for logical_id in alarm_names(slot)]}


def _deployment(rollout: Rollout, slots: Sequence[Slot]) -> Json:
    routing: Json = {"Type": _ROUTING[rollout.strategy], "WaitIntervalInSeconds": rollout.wait_interval_in_seconds}
    size = {"Type": "CAPACITY_PERCENT", "Value": rollout.step_percent}
    if rollout.strategy == "canary":
        routing["CanarySize"] = size
    elif rollout.strategy == "linear":
        routing["LinearStepSize"] = size
    steps = -(-100 // rollout.step_percent) if rollout.strategy == "linear" else 2
    alarms = [{"AlarmName": name} for slot in slots for name in alarm_names(slot).values()]
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 120,
            # Must be longer than the sum of the waits; half an hour is added to start the new fleet.
            "MaximumExecutionTimeoutInSeconds": min(28_800, 1800 + steps * rollout.wait_interval_in_seconds + 120),
        },
        "AutoRollbackConfiguration": {"Alarms": alarms},
    }


def _release_tags(prefix: str = "") -> list[Json]:
    return [
        {"Key": "mlops:model-package", "Value": {"Ref": f"{prefix}ModelPackageArn"}},
        {"Key": "mlops:execution", "Value": {"Ref": f"{prefix}ExecutionId"}},
    ]
