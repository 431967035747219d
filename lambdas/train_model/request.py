"""The request that makes the job of an execution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError
from handler_kit.instances import has_own_disks
from handler_kit.job_run import CAPACITY_RETRIES, EXECUTION, STARTED_BY

if TYPE_CHECKING:
    from train_model.settings import Params, Settings


def training_request(
    name: str, image: str, params: Params, settings: Settings, pipeline_job_id: str, capacity_retries: int = 0
) -> dict[str, Any]:
    """The whole CreateTrainingJob request; each time that there was no capacity, with the next instance type."""
    types = instance_types(settings)
    resources = _resources(settings, [types[capacity_retries % len(types)]])
    if settings.keep_alive_seconds:
        resources["KeepAlivePeriodInSeconds"] = settings.keep_alive_seconds
    algorithm: dict[str, Any] = {"TrainingImage": image, "TrainingInputMode": settings.input_mode}
    if settings.metric_definitions:
        algorithm["MetricDefinitions"] = settings.metric_definitions
    key = settings.kms_key_arn
    output = {"S3OutputPath": f"s3://{settings.artifact_bucket}/models/"}
    request = {
        "TrainingJobName": name,
        "HyperParameters": settings.hyperparameters,
        "AlgorithmSpecification": algorithm,
        "RoleArn": settings.training_role_arn,
        "InputDataConfig": [
            _channel(channel, params, settings)
            for channel in params.channels.split(",")
            if channel != settings.held_out_channel
        ],
        "OutputDataConfig": {**output, "KmsKeyId": key} if key else output,
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": settings.max_runtime_seconds},
        "EnableNetworkIsolation": _flag("NETWORK_ISOLATION", settings.network_isolation),
        "EnableInterContainerTrafficEncryption": settings.instance_count > 1
        and _flag("ENCRYPT_TRAFFIC", settings.encrypt_traffic),
        "Environment": {
            **settings.environment,
            EXECUTION: params.execution_id,
            STARTED_BY: pipeline_job_id,
            CAPACITY_RETRIES: str(capacity_retries),
        },
        "Tags": [{"Key": key, "Value": value} for key, value in settings.tags.items()]
        + [
            {"Key": "mlops:execution-id", "Value": params.execution_id},
            {"Key": "mlops:dataset-sha256", "Value": params.sha256},
        ],
    }
    return request | _options(params, settings)


def tuning_request(name: str, image: str, params: Params, settings: Settings, pipeline_job_id: str) -> dict[str, Any]:
    """The whole CreateHyperParameterTuningJob request; its training jobs are those of ``training_request``."""
    definition = training_request(name, image, params, settings, pipeline_job_id)
    del definition["TrainingJobName"]
    tags = definition.pop("Tags")
    definition["StaticHyperParameters"] = definition.pop("HyperParameters")
    types = instance_types(settings)
    if len(types) > 1:
        # SageMaker itself takes the first type that it has.
        resources = _resources(settings, types)
        count = resources.pop("InstanceCount")
        del definition["ResourceConfig"], resources["InstanceType"]
        configs = [{"InstanceType": type_, "InstanceCount": count, **_volume(settings)} for type_ in types]
        definition["HyperParameterTuningResourceConfig"] = {
            "AllocationStrategy": "Prioritized",
            "InstanceConfigs": configs,
            **{key: value for key, value in resources.items() if key == "VolumeKmsKeyId"},
        }
    try:
        search = json.loads(settings.tuning or "")
    except ValueError as error:
        raise ConfigurationError(f"environment variable TUNING: must be JSON: {error}") from None
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": search,
        "TrainingJobDefinition": definition,
        "Tags": tags,
    }


def instance_types(settings: Settings) -> list[str]:
    """The wanted type, then those that stand in for it."""
    return settings.instance_types.split(",")


def _options(params: Params, settings: Settings) -> dict[str, Any]:
    """The members that a request has only when they are asked for."""
    options: dict[str, Any] = {}
    if settings.internal_retries:
        options["RetryStrategy"] = {"MaximumRetryAttempts": settings.internal_retries}
    if settings.subnet_ids and settings.security_group_ids:
        options["VpcConfig"] = {
            "SecurityGroupIds": settings.security_group_ids.split(","),
            "Subnets": settings.subnet_ids.split(","),
        }
    if settings.max_wait_seconds:
        options["EnableManagedSpotTraining"] = True
        options["StoppingCondition"] = {
            "MaxRuntimeInSeconds": settings.max_runtime_seconds,
            "MaxWaitTimeInSeconds": settings.max_wait_seconds,
        }
    if settings.checkpoint_path:
        # Not the job's name: the next attempt of the execution goes on from where this one was.
        uri = f"s3://{settings.artifact_bucket}/checkpoints/{params.execution_id}"
        options["CheckpointConfig"] = {"S3Uri": uri, "LocalPath": settings.checkpoint_path}
    return options


def _resources(settings: Settings, types: list[str]) -> dict[str, Any]:
    resources: dict[str, Any] = {
        "InstanceType": types[0],
        "InstanceCount": settings.instance_count,
        "VolumeSizeInGB": settings.volume_size_gb,
    }
    if settings.kms_key_arn and not any(has_own_disks(type_) for type_ in types):
        resources["VolumeKmsKeyId"] = settings.kms_key_arn
    return resources


def _volume(settings: Settings) -> dict[str, int]:
    return {"VolumeSizeInGB": settings.volume_size_gb}


def _channel(name: str, params: Params, settings: Settings) -> dict[str, Any]:
    # Without the last slash the channel train would also read train2.
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"{params.dataset_uri}/{name}/",
        "S3DataDistributionType": settings.distribution,
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise ConfigurationError(f"environment variable {name}: must be 'true' or 'false', got {text!r}")
    return text == "true"
