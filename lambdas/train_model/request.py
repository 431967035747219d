"""The CreateTrainingJob request of an execution, and how to tell that a job was made from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from train_model.settings import Params, Settings

MAXIMUM_ATTEMPTS = 9
STARTED_BY = "MLOPS_PIPELINE_JOB_ID"
EXECUTION = "MLOPS_EXECUTION_ID"

_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ATTEMPT = re.compile(r"-r([2-9])")


def job_name(prefix: str, execution_id: str, attempt: int = 1) -> str:
    """The name of an execution's training job: always the same, so that a redelivered event finds it."""
    digits = re.sub(r"[^0-9a-f]", "", execution_id)[:12]
    if len(digits) < 12:
        raise ConfigurationError(f"execution_id {execution_id!r}: must hold at least 12 hex digits")
    name = f"{prefix}-{digits}" + (f"-r{attempt}" if attempt > 1 else "")
    if not _JOB_NAME.fullmatch(name):
        raise ConfigurationError(
            f"JOB_PREFIX {prefix!r}: {name!r} is not a training job name (letters, digits, '-', at most 63)"
        )
    return name


def attempt_of(name: str, first_name: str) -> int | None:
    """Which attempt of the execution a job name is; ``None`` when it belongs to another execution."""
    if name == first_name:
        return 1
    match = _ATTEMPT.fullmatch(name.removeprefix(first_name)) if name.startswith(first_name) else None
    return int(match[1]) if match else None


def training_request(name: str, image: str, params: Params, settings: Settings, pipeline_job_id: str) -> dict[str, Any]:
    """The whole request."""
    key = settings.kms_key_arn
    resources: dict[str, Any] = {
        "InstanceType": settings.instance_type,
        "InstanceCount": settings.instance_count,
        "VolumeSizeInGB": settings.volume_size_gb,
    }
    output = {"S3OutputPath": f"s3://{settings.artifact_bucket}/models/"}
    algorithm: dict[str, Any] = {"TrainingImage": image, "TrainingInputMode": "File"}
    if settings.metric_definitions:
        algorithm["MetricDefinitions"] = settings.metric_definitions
    return {
        "TrainingJobName": name,
        "HyperParameters": settings.hyperparameters,
        "AlgorithmSpecification": algorithm,
        "RoleArn": settings.training_role_arn,
        "InputDataConfig": [
            _channel(channel, params.dataset_uri)
            for channel in params.channels.split(",")
            if channel != settings.held_out_channel
        ],
        "OutputDataConfig": {**output, "KmsKeyId": key} if key else output,
        "ResourceConfig": {**resources, "VolumeKmsKeyId": key} if key else resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": settings.max_runtime_seconds},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": settings.instance_count > 1,
        "Environment": {
            **settings.environment,
            EXECUTION: params.execution_id,
            STARTED_BY: pipeline_job_id,
        },
        "Tags": [
            {"Key": "mlops:execution-id", "Value": params.execution_id},
            {"Key": "mlops:dataset-sha256", "Value": params.sha256},
        ],
    }


def differences(request: dict[str, Any], job: dict[str, Any]) -> list[str]:
    """In what a job differs from a request, among the things that make it the same training."""
    asked, found = _identity(request), _identity(job)
    return [f"{what} is {found[what]}, not {asked[what]}" for what in asked if asked[what] != found[what]]


def _identity(description: dict[str, Any]) -> dict[str, Any]:
    inputs = description.get("InputDataConfig", [])
    return {
        "image": description["AlgorithmSpecification"].get("TrainingImage"),
        "role": description["RoleArn"],
        "input": sorted((one["ChannelName"], one["DataSource"]["S3DataSource"]["S3Uri"]) for one in inputs),
    }


def _channel(name: str, dataset_uri: str) -> dict[str, Any]:
    # Without the last slash the channel train would also read train2.
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"{dataset_uri}/{name}/",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}
