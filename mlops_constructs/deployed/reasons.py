"""Why an execution was started, if alarms of the watch over production started it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .clients import code_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pipeline import DeployedPipeline

_UNKNOWN = "of an alarm"
_UNREADABLE = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})


def why_started(pipeline: DeployedPipeline, summary: Mapping[str, Any]) -> str:
    """Return what the alarms say that started an execution; empty when something else did.

    Args:
        pipeline: The pipeline.
        summary: The execution, as ListPipelineExecutions returns it.
    """
    from botocore.exceptions import ClientError

    # CodePipeline says who started it; the session of a function has its name.
    if not str(summary.get("trigger", {}).get("triggerDetail", "")).endswith(f"/{pipeline.name}-retrain"):
        return ""
    key = f"retraining/{pipeline.name}/executions/{summary['pipelineExecutionId']}.json"
    try:
        body = pipeline.client("s3").get_object(Bucket=pipeline.artifact_bucket, Key=key)["Body"].read()
    except ClientError as error:
        if code_of(error) not in _UNREADABLE:
            raise
        return _UNKNOWN
    try:
        return str(json.loads(body)["why"])
    except (ValueError, KeyError, TypeError):
        return _UNKNOWN
