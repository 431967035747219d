"""The report of the watch over production: a fresh one from the function that watches, or the newest stored one."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pipeline import DeployedPipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """A report.

    Attributes:
        content: What the function has found: ``features``, ``quality``, ``alarms`` and so on; with ``sentence``, that
            there is nothing to report and why.
        age_seconds: Its age; 0 for a fresh one.
        why_not_fresh: Why it is not a fresh one; empty if it is.
    """

    content: Mapping[str, Any]
    age_seconds: float = 0.0
    why_not_fresh: str = ""

    @property
    def in_alarm(self) -> bool:
        """Whether anything has raised an alarm."""
        return bool(self.content.get("alarms"))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**self.content, "age_seconds": self.age_seconds, "why_not_fresh": self.why_not_fresh}


def drift_of(pipeline: DeployedPipeline) -> DriftReport:
    """Look at production now; where that is not possible, read what was stored. Raises MlopsError without either."""
    try:
        content = _fresh(pipeline)
    except MlopsError as error:
        stored = _stored(pipeline)
        if stored is None:
            raise
        age = max(0.0, time.time() - float(stored.get("at", 0.0)))
        return DriftReport(content=stored, age_seconds=age, why_not_fresh=str(error))
    return DriftReport(content=content)


def _fresh(pipeline: DeployedPipeline) -> Mapping[str, Any]:
    name = f"{pipeline.name}-watch-traffic"
    with explained(f"the function {name} could not be invoked (a pipeline has it with `monitoring=Monitoring()`)"):
        answer = pipeline.client("lambda").invoke(FunctionName=name, InvocationType="RequestResponse")
        body = answer["Payload"].read()
    try:
        content = json.loads(body)
    except ValueError as error:
        raise MlopsError(f"the function {name} returned no JSON: {error}") from error
    if not isinstance(content, dict):
        raise MlopsError(f"the function {name} returned no report")
    if "FunctionError" in answer:
        raise MlopsError(f"the function {name} failed: {content.get('errorMessage', answer['FunctionError'])}")
    return content


def _stored(pipeline: DeployedPipeline) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    bucket, key = pipeline.artifact_bucket, f"monitoring/{pipeline.name}/report.json"
    with explained(f"the report s3://{bucket}/{key} could not be read"):
        try:
            body = pipeline.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            # S3 denies a missing object to who may not list.
            if code_of(error) not in ("NoSuchKey", "404", "AccessDenied", "403"):
                raise
            return None
    try:
        content = json.loads(body)
    except ValueError as error:
        raise MlopsError(f"s3://{bucket}/{key} is not a report: {error}") from error
    return content if isinstance(content, dict) else None
