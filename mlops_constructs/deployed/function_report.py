"""Reports that a function of a pipeline returns when it is invoked, and also stores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .documents import json_object

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .pipeline import DeployedPipeline

MISSING = ("NoSuchKey", "404")
# So many bytes of what is no report are in a message.
_SHOWN = 80


def fresh_report(pipeline: DeployedPipeline, purpose: str, hint: str = "") -> Mapping[str, Any]:
    """Invoke the function and return its report.

    Args:
        pipeline: The pipeline.
        purpose: Last part of the function's name.
        hint: What else to say when it cannot be invoked.

    Raises:
        MlopsError: when it cannot be invoked, fails, or returns something else.
    """
    name = f"{pipeline.name}-{purpose}"
    with explained(f"the function {name} could not be invoked{hint}"):
        answer = pipeline.client("lambda").invoke(FunctionName=name, InvocationType="RequestResponse")
        body = answer["Payload"].read()
    try:
        content = json.loads(body)
    except ValueError as error:
        raise MlopsError(f"the function {name} returned no JSON: {error}; {_in_its_log(name)}") from error
    if not isinstance(content, dict):
        raise MlopsError(f"the function {name} returned no report, but {body[:_SHOWN]!r}; {_in_its_log(name)}")
    if "FunctionError" in answer:
        reason = content.get("errorMessage", answer["FunctionError"])
        raise MlopsError(f"the function {name} failed: {reason}; {_in_its_log(name)}")
    return content


def _in_its_log(name: str) -> str:
    return f"see its log: aws logs tail /aws/lambda/{name}"


def stored_report(
    pipeline: DeployedPipeline, key: str, what: str, missing: Collection[str] = MISSING
) -> Mapping[str, Any] | None:
    """Read the newest report that the function has stored.

    Args:
        pipeline: The pipeline.
        key: Its key in the artifact bucket.
        what: The report, as an error names it.
        missing: Error codes of S3 that say that there is none.

    Returns:
        The report, or None when there is none.

    Raises:
        MlopsError: when it cannot be read.
    """
    from botocore.exceptions import ClientError

    bucket = pipeline.artifact_bucket
    with explained(f"the report {what} could not be read"):
        try:
            body = pipeline.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if code_of(error) not in missing:
                raise
            return None
    return json_object(body, f"s3://{bucket}/{key}", "a report")
