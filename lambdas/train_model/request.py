"""The request that creates the job of an execution: what was written at synth, and what is known only now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handler_kit.documents import merged
from handler_kit.requests import CAPACITY_RETRIES, EXECUTION, STARTED_BY, output_key, tags, volume_key, vpc
from train_model.source import code_channel

if TYPE_CHECKING:
    from train_model.settings import Document, Params, Settings

_TRAFFIC = "EnableInterContainerTrafficEncryption"


def training_request(
    name: str,
    image: str,
    params: Params,
    settings: Settings,
    document: Document,
    pipeline_job_id: str,
    region: str,
    capacity_retries: int = 0,
) -> dict[str, Any]:
    """The whole CreateTrainingJob request; after each lack of capacity, it has the next instance type."""
    written, types = document.training_job, document.instance_types
    instance_type = types[capacity_retries % len(types)]
    key = settings.kms_key_arn
    known = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image},
        "RoleArn": settings.training_role_arn,
        "InputDataConfig": [*_channels(params, document), *code_channel(settings, document)],
        "OutputDataConfig": {"S3OutputPath": _folder(settings, "models"), **output_key(key)},
        "ResourceConfig": {"InstanceType": instance_type, **volume_key(key, instance_type)},
        # With one instance there is no traffic between containers.
        _TRAFFIC: written[_TRAFFIC] and written["ResourceConfig"]["InstanceCount"] > 1,
        "Environment": {
            EXECUTION: params.execution_id,
            STARTED_BY: pipeline_job_id,
            CAPACITY_RETRIES: str(capacity_retries),
        },
        "Tags": tags({"mlops:execution-id": params.execution_id, "mlops:dataset-sha256": params.sha256}),
        **vpc(settings.subnet_ids, settings.security_group_ids),
    }
    if document.source_sha256 is not None:
        known["HyperParameters"] = {"sagemaker_job_name": json.dumps(name), "sagemaker_region": json.dumps(region)}
    if "CheckpointConfig" in written:
        # Not the job's name: the execution's next attempt continues from the checkpoints of this one.
        known["CheckpointConfig"] = {"S3Uri": f"{_folder(settings, 'checkpoints')}{params.execution_id}"}
    request: dict[str, Any] = merged(written, known)
    return request


def _folder(settings: Settings, name: str) -> str:
    return f"s3://{settings.artifact_bucket}/{name}/{settings.pipeline}/"


def tuning_request(
    name: str, image: str, params: Params, settings: Settings, document: Document, pipeline_job_id: str, region: str
) -> dict[str, Any]:
    """The whole CreateHyperParameterTuningJob request; it defines its training jobs as ``training_request`` does."""
    definition = training_request(name, image, params, settings, document, pipeline_job_id, region)
    del definition["TrainingJobName"]
    job_tags = definition.pop("Tags")
    definition["StaticHyperParameters"] = definition.pop("HyperParameters")
    if len(document.instance_types) > 1:
        resources = definition.pop("ResourceConfig")
        definition["HyperParameterTuningResourceConfig"] = _prioritized(resources, document, settings)
    return {
        "HyperParameterTuningJobName": name,
        **(document.tuning_job or {}),
        "TrainingJobDefinition": definition,
        "Tags": job_tags,
    }


def _prioritized(resources: dict[str, Any], document: Document, settings: Settings) -> dict[str, Any]:
    """The resources with which SageMaker itself uses the first instance type that has capacity."""
    types = document.instance_types
    common = {name: resources[name] for name in ("InstanceCount", "VolumeSizeInGB")}
    return {
        "AllocationStrategy": "Prioritized",
        "InstanceConfigs": [{"InstanceType": type_, **common} for type_ in types],
        **volume_key(settings.kms_key_arn, *types),
    }


def _channels(params: Params, document: Document) -> list[dict[str, Any]]:
    return [
        # Without the slash at the end, the channel train would also read train2.
        merged(
            merged(document.channel, document.channels.get(name, {})), _source(name, f"{params.dataset_uri}/{name}/")
        )
        for name in params.channels.split(",")
        if name != document.held_out_channel
    ]


def _source(channel: str, uri: str) -> dict[str, Any]:
    return {"ChannelName": channel, "DataSource": {"S3DataSource": {"S3Uri": uri}}}
