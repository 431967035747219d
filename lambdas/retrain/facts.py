"""What is true: the executions of the pipeline, and the data sets that none of them has taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrain.settings import Document
    from retrain.state import State

CONTRACT_END = ".contract.json"
# An execution that is to stop may wait for an approval as long as it takes.
_ALIVE = frozenset({"InProgress", "Stopping"})
# EventBridge tries to deliver an event for 24 hours.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
DELIVERY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Execution:
    """
    Attributes:
        id: The execution.
        alive: Whether it has not ended; it may wait for approval.
        started: When, in seconds.
        version_id: S3 version of its data set; None before its source action has run.
        starter: Who started it.
    """

    id: str
    alive: bool
    started: float
    version_id: str | None
    starter: str


@dataclass(frozen=True)
class Dataset:
    """A data set in its newest version."""

    key: str
    version_id: str
    uploaded: float


def read_executions(codepipeline: Any, pipeline: str, action: str) -> list[Execution]:
    """All executions of the last 12 months, the newest first."""
    pages = codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline)
    return [_execution(one, action) for page in pages for one in page["pipelineExecutionSummaries"]]


def _execution(summary: dict[str, Any], action: str) -> Execution:
    revisions = {one["actionName"]: one.get("revisionId") for one in summary.get("sourceRevisions", [])}
    return Execution(
        id=summary["pipelineExecutionId"],
        alive=summary["status"] in _ALIVE,
        started=summary["startTime"].timestamp(),
        version_id=revisions.get(action),
        starter=str(summary.get("trigger", {}).get("triggerDetail", "")),
    )


def new_datasets(
    s3: Any,
    bucket: str,
    document: Document,
    executions: Sequence[Execution],
    release: dict[str, Any] | None,
    state: State,
    now: float,
) -> list[Dataset]:
    """The data sets that are not older than what was trained on, and that no execution has taken; the newest last."""
    versions = _versions(s3, bucket, document)
    uploaded = {one["VersionId"]: one["LastModified"].timestamp() for one in versions}
    taken = {one.version_id: one.started for one in executions if one.version_id is not None}
    taken |= {one.version_id: one.uploaded for one in state.starts}
    if release is not None and (version := release.get("dataset", {}).get("version_id")) not in taken:
        taken[version] = _moment(release.get("released_at"))
    # A version that was deleted meanwhile is as old as the execution on it at most.
    mark = max((uploaded.get(version, known) for version, known in taken.items()), default=0.0)
    # Each upload starts its execution itself, until EventBridge gives up.
    newest = now - DELIVERY_SECONDS if document.start_on_upload else now + DELIVERY_SECONDS
    found = [
        Dataset(one["Key"], one["VersionId"], uploaded[one["VersionId"]])
        for one in versions
        if one["IsLatest"] and one["VersionId"] not in taken and mark <= uploaded[one["VersionId"]] <= newest
    ]
    return sorted(found, key=lambda one: (one.uploaded, one.key))


def _versions(s3: Any, bucket: str, document: Document) -> list[dict[str, Any]]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=document.prefix)
    return [
        one
        for page in pages
        for one in page.get("Versions", [])
        if one["Size"] and one["Key"].endswith(document.suffix) and not one["Key"].endswith(CONTRACT_END)
    ]


def _moment(text: object) -> float:
    return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0
