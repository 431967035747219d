"""Where the data sets of a deployed pipeline land, and the executions that they start."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from ._account import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where the data sets of a deployed pipeline land.

    Attributes:
        pipeline: Name of the pipeline.
        action: Name of its source action.
        bucket: The bucket.
        prefix: Folder in it that starts the pipeline.
    """

    pipeline: str
    action: str
    bucket: str
    prefix: str


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what boto3 raises into one sentence."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise MlopsError(f"{what}: {error}") from None


def clients(region: str | None) -> tuple[Any, Any]:
    """Make the clients of CodePipeline and S3."""
    with explained("AWS cannot be asked"):
        account = Account(region)
        return account.client("codepipeline"), account.client("s3")


def find_source(codepipeline: Any, name: str | None) -> DataSource:
    """Find a pipeline by name, or the only one there is that takes data sets.

    Raises:
        MlopsError: when there is none, or more than one and no name.
    """
    with explained("the pipeline could not be looked up"):
        if name is not None:
            source = _source(codepipeline, name)
            if source is None:
                raise MlopsError(f"the pipeline {name} takes no data sets: it has no S3 source with a key of choice")
            return source
        pages = codepipeline.get_paginator("list_pipelines").paginate()
        names = [one["name"] for page in pages for one in page["pipelines"]]
        sources = [source for source in (_source(codepipeline, one) for one in names) if source is not None]
    if len(sources) != 1:
        found = ", ".join(source.pipeline for source in sources) or "none"
        raise MlopsError(f"which pipeline? This account and region has: {found}. Give --pipeline NAME")
    return sources[0]


def find_version(s3: Any, source: DataSource, key: str, version_id: str | None) -> str:
    """Give the version of an object, the newest unless one is asked for.

    Raises:
        MlopsError: when there is no such object or version, it is empty, or the bucket has no versions.
    """
    from botocore.exceptions import ClientError

    place = f"s3://{source.bucket}/{key}" + (f", version {version_id}" if version_id else "")
    wanted = {} if version_id is None else {"VersionId": version_id}
    with explained(f"{place} could not be looked up"):
        try:
            head = s3.head_object(Bucket=source.bucket, Key=key, **wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "405", "NoSuchKey", "NoSuchVersion", "400"):
                raise MlopsError(f"there is no object {place}") from None
            raise
    if head["ContentLength"] == 0:
        raise MlopsError(f"{place} is empty (0 bytes)")
    if "VersionId" not in head:
        raise MlopsError(f"the bucket {source.bucket} has no versions, which CodePipeline needs; switch versioning on")
    return str(head["VersionId"])


def start(codepipeline: Any, source: DataSource, key: str, version_id: str) -> str:
    """Start the pipeline on exactly this version; give the execution's id."""
    values = {"S3_OBJECT_KEY": key, "S3_OBJECT_VERSION_ID": version_id}
    revisions = [
        {"actionName": source.action, "revisionType": kind, "revisionValue": value} for kind, value in values.items()
    ]
    with explained(f"the pipeline {source.pipeline} could not be started"):
        answer = codepipeline.start_pipeline_execution(name=source.pipeline, sourceRevisions=revisions)
    return str(answer["pipelineExecutionId"])


def wait_for_execution(codepipeline: Any, source: DataSource, known: set[str], version_id: str, seconds: float) -> str:
    """Wait for the execution that an upload starts; give its id.

    Raises:
        MlopsError: when none starts in time, with what may be the matter.
    """
    deadline = time.monotonic() + seconds
    with explained(f"the executions of {source.pipeline} could not be looked up"):
        while True:
            for one in executions(codepipeline, source.pipeline):
                versions = [revision.get("revisionId") for revision in one.get("sourceRevisions", [])]
                if one["pipelineExecutionId"] not in known and version_id in versions:
                    return str(one["pipelineExecutionId"])
            if time.monotonic() >= deadline:
                raise MlopsError(
                    f"the upload has not started {source.pipeline} within {seconds:g} s. Other executions may be"
                    " before it in the queue; or its key has not the suffix that the pipeline asks for; or the bucket"
                    " does not send its events to EventBridge"
                )
            time.sleep(_POLL_SECONDS)


def executions(codepipeline: Any, pipeline: str) -> list[dict[str, Any]]:
    """The newest executions of a pipeline."""
    answer = codepipeline.list_pipeline_executions(pipelineName=pipeline, maxResults=100)
    found: list[dict[str, Any]] = answer["pipelineExecutionSummaries"]
    return found


def _source(codepipeline: Any, name: str) -> DataSource | None:
    for stage in codepipeline.get_pipeline(name=name)["pipeline"]["stages"]:
        for action in stage["actions"]:
            configuration = action.get("configuration", {})
            if configuration.get("AllowOverrideForS3ObjectKey") == "true":
                key = configuration["S3ObjectKey"]
                return DataSource(name, action["name"], configuration["S3Bucket"], key[: key.rfind("/") + 1])
    return None
