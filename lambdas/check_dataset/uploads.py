"""One upload trains once, even if EventBridge delivers its event several times; a person or schedule may repeat it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code

if TYPE_CHECKING:
    from check_dataset.settings import Params, Settings

_BY_RULE = "CloudWatchEvent"
# The version ID of an object in a bucket without versioning; the next upload has the same.
_NO_VERSION = "null"
_IN_USE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def earlier_delivery(codepipeline: Any, s3: Any, params: Params, settings: Settings) -> str | None:
    """The execution that an earlier delivery of the same event started; ``None`` when this execution must continue.

    EventBridge delivers at least once, and CodePipeline starts an execution for each delivery:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
    """
    found = codepipeline.get_pipeline_execution(
        pipelineName=settings.pipeline, pipelineExecutionId=params.execution_id
    )["pipelineExecution"]
    if found.get("trigger", {}).get("triggerType") != _BY_RULE or params.version_id == _NO_VERSION:
        return None
    upload = json.dumps([params.bucket, params.key, params.version_id])
    key = f"datasets/{settings.pipeline}/uploads/{hashlib.sha256(upload.encode()).hexdigest()}.json"
    claim = json.dumps({"execution_id": params.execution_id, "upload": upload}).encode()
    try:
        s3.put_object(
            Bucket=settings.artifact_bucket, Key=key, Body=claim, ContentType="application/json", IfNoneMatch="*"
        )
    except ClientError as error:
        if error_code(error) not in _IN_USE:
            raise
        existing = json.loads(s3.get_object(Bucket=settings.artifact_bucket, Key=key)["Body"].read())
        return None if existing["execution_id"] == params.execution_id else str(existing["execution_id"])
    return None
