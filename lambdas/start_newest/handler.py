"""Lambda entry point: EventBridge invokes it on a schedule, to start the pipeline on exactly the newest data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit import logs
from handler_kit.clients import client
from handler_kit.settings import SettingsBase

CONTRACT_END = ".contract.json"


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline to start.
        action: Name of its source action for the data set.
        bucket: Bucket that data sets are uploaded to.
        prefix: Folder of the data sets.
        suffix: End of the keys of data sets; empty for any key.
    """

    pipeline: str
    action: str
    bucket: str
    prefix: str
    suffix: str | None


def handler(event: dict[str, Any], context: object) -> None:
    """Start the pipeline; an error is raised, so that Lambda retries and then uses the dead-letter queue."""
    start_newest(Settings.from_env(), client("s3"), client("codepipeline"), token=str(event["id"]))


def start_newest(settings: Settings, s3: Any, codepipeline: Any, *, token: str) -> str:
    """Start the pipeline once for each ``token``, and return the execution's ID.

    Without a data set the pipeline starts nevertheless, and fails in its source stage, where people see it.
    """
    newest = _newest(settings, s3)
    revisions = []
    if newest is not None:
        values = {"S3_OBJECT_KEY": newest, "S3_OBJECT_VERSION_ID": _version(settings, s3, newest)}
        revisions = [
            {"actionName": settings.action, "revisionType": kind, "revisionValue": value}
            for kind, value in values.items()
        ]
    answer = codepipeline.start_pipeline_execution(
        name=settings.pipeline, clientRequestToken=token, **({"sourceRevisions": revisions} if revisions else {})
    )
    found = f"s3://{settings.bucket}/{newest}" if newest else f"none under s3://{settings.bucket}/{settings.prefix}"
    logs.info("started", execution_id=answer["pipelineExecutionId"], data_set=found)
    return str(answer["pipelineExecutionId"])


def _newest(settings: Settings, s3: Any) -> str | None:
    """The key of the data set that was uploaded last; for two in the same second, the last in alphabetical order."""
    newest: dict[str, Any] | None = None
    suffix = "" if settings.suffix is None else settings.suffix
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=settings.prefix):
        for one in page.get("Contents", []):
            key = one["Key"]
            if not one["Size"] or not key.endswith(suffix) or key.endswith(CONTRACT_END):
                continue
            if newest is None or (one["LastModified"], key) >= (newest["LastModified"], newest["Key"]):
                newest = one
    return None if newest is None else str(newest["Key"])


def _version(settings: Settings, s3: Any, key: str) -> str:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=settings.bucket, Prefix=key):
        for one in page.get("Versions", []):
            if one["Key"] == key and one["IsLatest"]:
                return str(one["VersionId"])
    # It was deleted meanwhile, or the bucket has no versions; Lambda's next attempt lists the bucket again.
    raise RuntimeError(
        f"s3://{settings.bucket}/{key} no longer has a version: it was deleted meanwhile, and Lambda tries again; or"
        " the bucket has no versioning, which CodePipeline requires: enable it."
    )
