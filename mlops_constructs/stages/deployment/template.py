"""The CloudFormation template of one endpoint, as plain data.

CloudFormation deploys endpoints, not Terraform, for three reasons: it keeps instance counts and weights over updates,
it rolls an update back on alarms, and CodePipeline has an action for it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-endpoint.html
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...config.requests import AllowedEndpoint, EndpointLimits
from .alarms import rollback_alarms
from .parameters import endpoint_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...config import Endpoint, Rollout

VARIANT = "primary"
# Tag of models and endpoint configurations; the policy of the role that deploys allows changes only with this tag.
PIPELINE_TAG = "mlops:pipeline"
SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_ROUTING = {"canary": "CANARY", "linear": "LINEAR", "all_at_once": "ALL_AT_ONCE"}
Json = dict[str, Any]


def endpoint_template(
    config: Endpoint,
    allowed: AllowedEndpoint | None = None,
    *,
    in_vpc: bool = False,
    tags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Json:
    """Make the template of an endpoint that serves one model.

    A configured value is the default of a parameter, so that a data set with its own ``deployment.json`` can change it
    for its release.

    Args:
        config: The endpoint.
        allowed: What a data set may set for its release; None for nothing but the configuration.
        in_vpc: Whether the model has a VPC.
        tags: The user's tags and the pipeline's.
        environment: Environment variables of a script's container; the region is added.
    """
    both = [{"Key": key, "Value": value} for key, value in ({} if tags is None else tags).items()] + _tags()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A SageMaker endpoint that serves one model package",
        "Parameters": endpoint_parameters(
            config, allowed or AllowedEndpoint.of(config, EndpointLimits()), in_vpc=in_vpc
        ),
        "Conditions": {
            "Captures": {"Fn::Not": [{"Fn::Equals": [{"Ref": "CaptureSampling"}, "0"]}]},
            "EncryptsVolume": {"Fn::Equals": [{"Ref": "EncryptVolume"}, "true"]},
            "Scales": {"Fn::Equals": [{"Ref": "Autoscales"}, "true"]},
        },
        "Resources": _resources(config, both, environment, in_vpc=in_vpc),
        "Outputs": {
            "EndpointName": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
            "ModelPackageArn": {"Value": {"Ref": "ModelPackageArn"}},
        },
    }


def _if(condition: str, value: object) -> Json:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]}


def _resources(config: Endpoint, tags: list[Json], environment: Mapping[str, str], *, in_vpc: bool) -> Json:
    resources = {"Model": _model(tags, environment, in_vpc=in_vpc), "EndpointConfig": _endpoint_config(config, tags)}
    if config.rollout is not None:
        resources |= rollback_alarms(config.rollout, VARIANT)
    resources["Endpoint"] = _endpoint(config, tags)
    return resources | _autoscaling()


def _model(tags: list[Json], environment: Mapping[str, str], *, in_vpc: bool) -> Json:
    model: Json = {
        "Type": "AWS::SageMaker::Model",
        "Properties": {
            "ExecutionRoleArn": {"Ref": "ExecutionRoleArn"},
            "EnableNetworkIsolation": True,
            "PrimaryContainer": {"Image": {"Ref": "Image"}, "ModelDataUrl": {"Ref": "ModelDataUrl"}},
            "Tags": tags,
        },
    }
    if environment:
        variables = {**environment, "SAGEMAKER_REGION": {"Ref": "AWS::Region"}}
        model["Properties"]["PrimaryContainer"]["Environment"] = variables
    if in_vpc:
        vpc = {"Subnets": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
        model["Properties"]["VpcConfig"] = vpc
    return model


def _endpoint_config(config: Endpoint, tags: list[Json]) -> Json:
    properties: Json = {
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                "InstanceType": {"Ref": "InstanceType"},
                "InitialInstanceCount": {"Ref": "InitialInstanceCount"},
                "InitialVariantWeight": 1.0,
                "ContainerStartupHealthCheckTimeoutInSeconds": config.container_startup_health_check_timeout_in_seconds,
            }
        ],
        "KmsKeyId": _if("EncryptsVolume", {"Ref": "KmsKeyArn"}),
        "DataCaptureConfig": _if("Captures", _data_capture()),
        "Tags": tags,
    }
    return {"Type": "AWS::SageMaker::EndpointConfig", "Properties": properties}


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


def _endpoint(config: Endpoint, tags: list[Json]) -> Json:
    properties: Json = {
        # The endpoint's name never changes, so that callers can keep it. The model and the configuration get no name:
        # CloudFormation cannot replace a resource that has a fixed name.
        "EndpointName": {"Ref": "EndpointName"},
        "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]},
        # A deployment keeps the counts and weights that autoscaling or a person has set. Data capture is not a
        # property of a variant: the setting of the new configuration takes effect.
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
        "RetainAllVariantProperties": True,
        "Tags": tags,
    }
    if config.rollout is not None:
        properties["DeploymentConfig"] = _deployment(config.rollout)
    return {"Type": "AWS::SageMaker::Endpoint", "Properties": properties}


def _deployment(rollout: Rollout) -> Json:
    routing: Json = {"Type": _ROUTING[rollout.strategy], "WaitIntervalInSeconds": rollout.wait_interval_in_seconds}
    size = {"Type": "CAPACITY_PERCENT", "Value": rollout.step_percent}
    if rollout.strategy == "canary":
        routing["CanarySize"] = size
    elif rollout.strategy == "linear":
        routing["LinearStepSize"] = size
    steps = -(-100 // rollout.step_percent) if rollout.strategy == "linear" else 2
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 120,
            # Must be longer than the sum of the waits; half an hour is added to start the new fleet.
            "MaximumExecutionTimeoutInSeconds": min(28_800, 1800 + steps * rollout.wait_interval_in_seconds + 120),
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": {"Ref": "ServerErrors"}}, {"AlarmName": {"Ref": "SlowAnswers"}}]
        },
    }


def _autoscaling() -> Json:
    return {
        "ScalableTarget": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Condition": "Scales",
            "DependsOn": "Endpoint",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ResourceId": {"Fn::Sub": f"endpoint/${{EndpointName}}/variant/{VARIANT}"},
                "ScalableDimension": SCALABLE_DIMENSION,
                "MinCapacity": {"Ref": "MinCapacity"},
                "MaxCapacity": {"Ref": "MaxCapacity"},
            },
        },
        "ScalingPolicy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Condition": "Scales",
            "Properties": {
                "PolicyName": {"Fn::Sub": f"${{EndpointName}}-{VARIANT}"},
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "ScalableTarget"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                    "TargetValue": {"Ref": "TargetValue"},
                    "ScaleInCooldown": {"Ref": "ScaleInCooldown"},
                    "ScaleOutCooldown": {"Ref": "ScaleOutCooldown"},
                },
            },
        },
    }


def _tags() -> list[Json]:
    return [
        {"Key": "mlops:model-package", "Value": {"Ref": "ModelPackageArn"}},
        {"Key": "mlops:execution", "Value": {"Ref": "ExecutionId"}},
    ]
