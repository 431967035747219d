"""Was the same content trained before: the records that Register writes, asked by checksum."""

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
    # Of a missing object, S3 says "access denied" to who may list only a part of the bucket.
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"):
        return None
    record: dict[str, str] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return None if record["execution_id"] == execution_id else record


def refuse(record: dict[str, str], sha256: str) -> ConfigurationError:
    """The failure of an execution that brings nothing new."""
    return ConfigurationError(
        f"The same content (SHA-256 {sha256}) was trained before, by execution {record['execution_id']}, which made"
        f" {record['model_package_arn']}. Upload something new, or set Dataset(duplicates='allow')"
    )


def stop(codepipeline: Any, params: Params, settings: Settings, reason: str) -> str:
    """End this execution without a failure; give the reason."""
    try:
        codepipeline.stop_pipeline_execution(
            pipelineName=settings.pipeline,
            pipelineExecutionId=params.execution_id,
            abandon=False,
            reason=reason[:MAX_REASON_CHARACTERS],
        )
    except ClientError as error:
        # A second delivery of the event finds that the first has stopped it.
        if error_code(error) != "DuplicatedStopRequestException":
            raise
    logs.info("execution stopped", execution_id=params.execution_id, reason=reason)
    return reason
