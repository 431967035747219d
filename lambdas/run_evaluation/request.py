"""The CreateProcessingJob request of an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError
from handler_kit.job_run import EXECUTION, STARTED_BY

if TYPE_CHECKING:
    from run_evaluation.settings import Params, Settings

PROGRAM = "evaluate"
REPORT = "evaluation.json"

_ROOT = "/opt/ml/processing"


def report_folder(settings: Settings, name: str) -> str:
    """Where a job's report lands."""
    return f"s3://{settings.artifact_bucket}/evaluations/{name}"


def processing_request(name: str, params: Params, settings: Settings, pipeline_job_id: str) -> dict[str, Any]:
    """The whole request. Raises ConfigurationError when the data set has no held-out channel."""
    channels = params.channels.split(",")
    if settings.channel not in channels:
        raise ConfigurationError(
            f"The data set has no channel {settings.channel!r}, which the evaluation reads (it has"
            f" {', '.join(channels)}). Name one in the manifest."
        )
    key = settings.kms_key_arn
    cluster: dict[str, Any] = {
        "InstanceCount": 1,
        "InstanceType": settings.instance_type,
        "VolumeSizeInGB": settings.volume_size_gb,
    }
    output = {
        "OutputName": "evaluation",
        "S3Output": {
            "S3Uri": report_folder(settings, name),
            "LocalPath": f"{_ROOT}/evaluation",
            "S3UploadMode": "EndOfJob",
        },
    }
    program = {"ContainerEntrypoint": settings.entrypoint} if settings.entrypoint else {"ContainerArguments": [PROGRAM]}
    return {
        "ProcessingJobName": name,
        "RoleArn": settings.evaluation_role_arn,
        "AppSpecification": {"ImageUri": settings.image or params.image, **program},
        "ProcessingInputs": [
            _input("model", params.model_data_url),
            # Without the last slash the channel holdout would also read holdout2.
            _input(settings.channel, f"{params.dataset_uri}/{settings.channel}/"),
        ],
        "ProcessingOutputConfig": {"Outputs": [output], **({"KmsKeyId": key} if key else {})},
        "ProcessingResources": {"ClusterConfig": {**cluster, "VolumeKmsKeyId": key} if key else cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": settings.max_runtime_seconds},
        "NetworkConfig": {"EnableNetworkIsolation": True, **_vpc(settings)},
        "Environment": {**settings.environment, EXECUTION: params.execution_id, STARTED_BY: pipeline_job_id},
        "Tags": [{"Key": key, "Value": value} for key, value in settings.tags.items()]
        + [{"Key": "mlops:execution-id", "Value": params.execution_id}],
    }


def _vpc(settings: Settings) -> dict[str, Any]:
    if settings.subnet_ids is None or settings.security_group_ids is None:
        return {}
    ids = {"SecurityGroupIds": settings.security_group_ids, "Subnets": settings.subnet_ids}
    return {"VpcConfig": {name: text.split(",") for name, text in ids.items()}}


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{_ROOT}/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"InputName": name, "S3Input": source}
