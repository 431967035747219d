"""The CreateProcessingJob request of an execution: what was written at synth, and what is known only now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.documents import merged
from handler_kit.errors import ConfigurationError
from handler_kit.requests import EXECUTION, STARTED_BY, output_key, tags, volume_key, vpc

if TYPE_CHECKING:
    from run_evaluation.settings import Document, Params, Settings

REPORT = "evaluation.json"

_ROOT = "/opt/ml/processing"


def report_folder(settings: Settings, name: str) -> str:
    """The S3 folder for a job's report."""
    return f"s3://{settings.artifact_bucket}/evaluations/{settings.job_prefix}/{name}"


def processing_request(
    name: str, params: Params, settings: Settings, document: Document, pipeline_job_id: str
) -> dict[str, Any]:
    """The whole request. Raises ConfigurationError when the data set has no held-out channel."""
    channels = params.channels.split(",")
    if document.channel not in channels:
        raise ConfigurationError(
            f"The data set has no channel {document.channel!r}, which the evaluation reads (it has"
            f" {', '.join(channels)}). Name one in the manifest."
        )
    key, cluster = settings.kms_key_arn, document.processing_job["ProcessingResources"]["ClusterConfig"]
    output = {
        "OutputName": "evaluation",
        "S3Output": {
            "S3Uri": report_folder(settings, name),
            "LocalPath": f"{_ROOT}/evaluation",
            "S3UploadMode": "EndOfJob",
        },
    }
    known = {
        "ProcessingJobName": name,
        "RoleArn": settings.evaluation_role_arn,
        "AppSpecification": {"ImageUri": settings.image or params.image},
        "ProcessingInputs": [
            _input("model", params.model_data_url),
            # Without the slash at the end, the channel holdout would also read holdout2.
            _input(document.channel, f"{params.dataset_uri}/{document.channel}/"),
        ],
        "ProcessingOutputConfig": {"Outputs": [output], **output_key(key)},
        "ProcessingResources": {"ClusterConfig": volume_key(key, cluster["InstanceType"])},
        "NetworkConfig": vpc(settings.subnet_ids, settings.security_group_ids),
        "Environment": {EXECUTION: params.execution_id, STARTED_BY: pipeline_job_id},
        "Tags": tags({"mlops:execution-id": params.execution_id}),
    }
    request: dict[str, Any] = merged(document.processing_job, known)
    return request


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{_ROOT}/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"InputName": name, "S3Input": source}
