"""What is known about the jobs at synth, with the member names of SageMaker's API: the functions' documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._aws.tagging import tag_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...config import BatchTransform

PIPELINE_TAG = "mlops:pipeline"
_CSV = "text/csv"


def scoring_document(config: BatchTransform, accept: str, tags: Mapping[str, str]) -> dict[str, object]:
    """Return what start_batch sends for every file; ``accept`` is the type that the algorithm returns."""
    given = {"ContentType": config.content_type, "SplitType": config.split_type}
    job: dict[str, Any] = {
        **_common(config, tags, split=config.split_type != "None"),
        "TransformInput": {**given, "CompressionType": config.compression_type},
        "TransformOutput": {
            "Accept": config.accept or accept,
            "AssembleWith": "Line" if config.split_type == "Line" else "None",
        },
    }
    if config.processes:
        job["DataProcessing"] = {
            "InputFilter": config.input_filter,
            "JoinSource": config.join_source,
            "OutputFilter": config.output_filter,
        }
    return {"transform_job": job}


def golden_document(config: BatchTransform, accept: str, tags: Mapping[str, str]) -> dict[str, object]:
    """Return what batch_smoke_test sends: golden records are CSV, without what the filters leave out."""
    job = {
        **_common(config, tags, split=True),
        "TransformInput": {"ContentType": _CSV, "SplitType": "Line", "CompressionType": "None"},
        "TransformOutput": {"Accept": accept, "AssembleWith": "Line"},
    }
    return {"transform_job": job}


def _common(config: BatchTransform, tags: Mapping[str, str], *, split: bool) -> dict[str, Any]:
    members: dict[str, Any] = {
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": config.invocations_timeout_in_seconds,
            "InvocationsMaxRetries": config.invocations_max_retries,
        },
        "MaxPayloadInMB": config.max_payload_in_mb,
        "Environment": dict(config.environment),
        "TransformResources": {"InstanceType": config.instance_type, "InstanceCount": config.instance_count},
        "Tags": tag_list(tags),
    }
    if config.max_concurrent_transforms is not None:
        members["MaxConcurrentTransforms"] = config.max_concurrent_transforms
    if split:
        # SageMaker accepts a strategy only for files that are split.
        members["BatchStrategy"] = config.batch_strategy
    return members
