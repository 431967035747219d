"""Whether the same content was trained on before: looks up the checksum in the records that Register writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import ConfigurationError, error_code

if TYPE_CHECKING:
    from check_dataset.settings import Params, Settings

RECORDS = "trained"
MAX_REASON_CHARACTERS = 200


def earlier_training(s3: Any, settings: Settings, execution_id: str, sha256: str) -> dict[str, str] | None:
    """The record of another execution that trained on this content, or ``None``."""
    bucket, key = settings.artifact_bucket, f"{RECORDS}/{settings.pipeline}/{sha256}.json"
    # For a missing object, S3 returns "access denied" to a role that may list only a part of the bucket.
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"):
        return None
    record: dict[str, str] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return None if record["execution_id"] == execution_id else record


def refuse(record: dict[str, str], sha256: str) -> ConfigurationError:
    """The error of an execution whose content was trained on before."""
    return ConfigurationError(
        f"Execution {record['execution_id']} has trained on the same content (SHA-256 {sha256}) and created"
        f" {record['model_package_arn']}. Upload new content, or set Dataset(duplicates='allow')"
    )


def stop(codepipeline: Any, params: Params, settings: Settings, reason: str) -> str:
    """Stop this execution, which is not a failure; return the reason."""
    try:
        codepipeline.stop_pipeline_execution(
            pipelineName=settings.pipeline,
            pipelineExecutionId=params.execution_id,
            abandon=False,
            reason=reason[:MAX_REASON_CHARACTERS],
        )
    except ClientError as error:
        # When the event is delivered a second time, the first delivery has already stopped the execution.
        if error_code(error) != "DuplicatedStopRequestException":
            raise
    logs.info("execution stopped", execution_id=params.execution_id, reason=reason)
    return reason
