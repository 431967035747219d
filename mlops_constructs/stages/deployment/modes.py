"""What serverless and asynchronous endpoints have in their templates in place of a real-time endpoint's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._aws.async_objects import FAILURE, OUTPUT
from ...config.serving import MEMORY_SIZES_IN_MB
from .slots import no_value_unless

if TYPE_CHECKING:
    from ...config import AsyncInferenceConfig, ServerlessConfig
    from .slots import Slot

Json = dict[str, Any]
# The folders of an asynchronous endpoint, below the place of this parameter.
ASYNC_URI = "AsyncInferenceUri"
# In place of a target of invocations.
BACKLOG = "BacklogPerInstance"
PROVISIONS = "Provisions"


def serverless_parameters(config: ServerlessConfig) -> Json:
    """Return the parameters of a serverless variant; a data set cannot set them."""
    concurrency = {"Type": "Number", "MinValue": 1, "MaxValue": 200}
    return {
        "MemorySizeInMB": {
            "Type": "Number",
            "AllowedValues": list(MEMORY_SIZES_IN_MB),
            "Default": config.memory_size_in_mb,
        },
        "MaxConcurrency": {**concurrency, "Default": config.max_concurrency},
        "ProvisionedConcurrency": {
            **concurrency,
            "MinValue": 0,
            "Default": config.provisioned_concurrency or 0,
            "Description": "Containers that are kept ready; 0 keeps none",
        },
    }


def serverless_variant(slot: Slot) -> Json:
    """Return the production variant of a serverless endpoint."""
    return {
        "VariantName": slot.variant,
        "ModelName": slot.attribute("Model", "ModelName"),
        "InitialVariantWeight": 1.0,
        "ServerlessConfig": {
            "MemorySizeInMB": slot.value("MemorySizeInMB"),
            "MaxConcurrency": slot.value("MaxConcurrency"),
            "ProvisionedConcurrency": no_value_unless(PROVISIONS, slot.value("ProvisionedConcurrency")),
        },
    }


def storage(size_in_gb: int | None, timeout_in_seconds: int | None) -> Json:
    """Return the volume of a variant's instances, and the time of the download; none is SageMaker's default.

    A data set may ask for instances with disks of their own, which take no volume.
    """
    volume = {} if size_in_gb is None else {"VolumeSizeInGB": no_value_unless("EncryptsVolume", size_in_gb)}
    time = {} if timeout_in_seconds is None else {"ModelDataDownloadTimeoutInSeconds": timeout_in_seconds}
    return {**volume, **time}


def async_inference(config: AsyncInferenceConfig) -> Json:
    """Return the AsyncInferenceConfig of an endpoint configuration."""
    output: Json = {
        "S3OutputPath": {"Fn::Sub": f"${{{ASYNC_URI}}}/{OUTPUT}"},
        "S3FailurePath": {"Fn::Sub": f"${{{ASYNC_URI}}}/{FAILURE}"},
        "KmsKeyId": {"Ref": "KmsKeyArn"},
    }
    if config.topics:
        output["NotificationConfig"] = {name: {"Ref": name} for name in config.topics}
    most = config.max_concurrent_invocations_per_instance
    client = {} if most is None else {"ClientConfig": {"MaxConcurrentInvocationsPerInstance": most}}
    return {**client, "OutputConfig": output}


def backlog_tracking() -> Json:
    """Return the metric of the target tracking: an asynchronous endpoint publishes no invocations per instance.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
    """
    return {
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": _endpoint(),
            "Statistic": "Average",
        },
    }


def waking(slot: Slot) -> Json:
    """Make what starts the first instance: target tracking would wait until the backlog is above its target.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
    """
    return {
        "WakePolicy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Condition": slot.scales,
            "Properties": {
                "PolicyName": {"Fn::Sub": f"${{EndpointName}}-{slot.variant}-wake"},
                "PolicyType": "StepScaling",
                "ScalingTargetId": {"Ref": slot.resource("ScalableTarget")},
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "MetricAggregationType": "Average",
                    "Cooldown": slot.value("ScaleOutCooldown"),
                    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
                },
            },
        },
        "Backlog": {
            "Type": "AWS::CloudWatch::Alarm",
            "Condition": slot.scales,
            "Properties": {
                "AlarmDescription": {
                    "Fn::Sub": "Requests to the endpoint ${EndpointName} wait, and it has no instance: this alarm"
                    " starts one, nobody has to do anything"
                },
                "Namespace": "AWS/SageMaker",
                "MetricName": "HasBacklogWithoutCapacity",
                "Dimensions": _endpoint(),
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "missing",
                "AlarmActions": [{"Ref": "WakePolicy"}],
            },
        },
    }


def _endpoint() -> list[Json]:
    return [{"Name": "EndpointName", "Value": {"Ref": "EndpointName"}}]
