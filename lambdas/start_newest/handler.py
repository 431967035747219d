"""Lambda entry point: EventBridge calls it by schedule, to start the pipeline on exactly the newest data set."""

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
        pipeline: What to start.
        action: Its source action that the data set comes through.
        bucket: Where data sets land.
        prefix: Folder of the data sets.
        suffix: What their keys end with; empty for anything.
    """

    pipeline: str
    action: str
    bucket: str
    prefix: str
    suffix: str | None


def handler(event: dict[str, Any], context: object) -> None:
    """Start the pipeline; what fails is raised, so that Lambda tries again and then keeps the event."""
    start_newest(Settings.from_env(), client("s3"), client("codepipeline"), token=str(event["id"]))


def start_newest(settings: Settings, s3: Any, codepipeline: Any, *, token: str) -> str:
    """Start once for each ``token``, and give the execution's id.

    Where there is no data set the pipeline starts all the same, and fails at its source where people see it.
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
    """The key of the data set that was uploaded last; of two in the same second, the later name."""
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
    # Deleted meanwhile, or the bucket has no versions; the next try sees what is there then.
    raise RuntimeError(f"s3://{settings.bucket}/{key} has no version any more")
