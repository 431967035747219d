"""What CodePipeline accepts, and what its S3 source does with a tagged object."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .verdict import refusal

if TYPE_CHECKING:
    from .room import Room
    from .verdict import Verdicts

_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 2.0
_KEY = "live/object.txt"


def namespace_equals_artifact(room: Room) -> Verdicts:
    """Create a pipeline whose action has the same name for namespace and artifact, and one with two names.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html: namespaces "cannot conflict with
    any artifact names".
    """
    maker = _Pipelines(room)
    if problem := maker.refused("control", "Data", "DataObject"):
        return "undecided", f"a pipeline with two names was refused too: {problem}"
    problem = maker.refused("equal", "Data", "Data")
    return ("yes", problem) if problem else ("no", "CreatePipeline accepted it")


def source_is_artifact_bucket(room: Room) -> Verdicts:
    """Create a pipeline whose source is in the bucket of its artifacts."""
    maker = _Pipelines(room)
    problem = maker.refused("same", "Data", "DataObject", source=maker.artifacts)
    return ("yes", problem) if problem else ("no", "CreatePipeline accepted it")


def tagged_source_needs_put_object_tagging(room: Room) -> Verdicts:
    """Let a pipeline fetch an object without tags, and another fetch a tagged one; their role may not tag."""
    maker = _Pipelines(room)
    status, detail = maker.fetched("untagged", "")
    if status != "Succeeded":
        return "undecided", f"the object without tags was not fetched either: {status}: {detail}"
    status, detail = maker.fetched("tagged", "team=live")
    if status == "Succeeded":
        return "no", "the tagged object was fetched by a role without s3:PutObjectTagging"
    return ("yes", detail) if status == "Failed" else ("undecided", f"{status}: {detail}")


class _Pipelines:
    """Creates pipelines of a source action and an approval that nobody answers."""

    def __init__(self, room: Room) -> None:
        self._room, self._codepipeline = room, room.client("codepipeline")
        self.artifacts, self.source = room.bucket("artifacts"), room.bucket("source")
        arns = [f"arn:{room.identity.partition}:s3:::{name}" for name in (self.artifacts, self.source)]
        actions = ["GetBucketVersioning", "GetBucketAcl", "GetBucketLocation", "ListBucket"]
        objects = [
            "GetObject",
            "GetObjectVersion",
            "GetObjectTagging",
            "GetObjectVersionTagging",
            "PutObject",
            "PutObjectAcl",
        ]
        self._role = room.role(
            "pipeline",
            [{"Service": "codepipeline.amazonaws.com"}],
            [
                {"Action": [f"s3:{name}" for name in actions], "Resource": arns},
                {"Action": [f"s3:{name}" for name in objects], "Resource": [f"{arn}/*" for arn in arns]},
            ],
        )

    def refused(self, kind: str, namespace: str, artifact: str, source: str | None = None) -> str:
        """Create a pipeline; return the refusal, or nothing when it was created."""
        name = self._room.name(kind)
        self._room.on_leave(f"pipeline {name}", lambda: self._codepipeline.delete_pipeline(name=name))
        action = {
            "name": "Fetch",
            "namespace": namespace,
            "actionTypeId": _action_type("Source", "S3"),
            "configuration": {
                "S3Bucket": source or self.source,
                "S3ObjectKey": _KEY,
                "PollForSourceChanges": "false",
            },
            "outputArtifacts": [{"name": artifact}],
        }
        hold = {"name": "Hold", "actionTypeId": _action_type("Approval", "Manual")}
        stages = [{"name": "Source", "actions": [action]}, {"name": "Approve", "actions": [hold]}]
        pipeline: dict[str, Any] = {
            "name": name,
            "roleArn": self._role,
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "artifactStore": {"type": "S3", "location": self.artifacts},
            "stages": stages,
        }
        return refusal(lambda: self._codepipeline.create_pipeline(pipeline=pipeline))

    def fetched(self, kind: str, tags: str) -> tuple[str, str]:
        """Put an object, create a pipeline, which runs at once, and wait for its source action.

        Return the action's status, and the reason of a failure.
        """
        self._room.client("s3").put_object(Bucket=self.source, Key=_KEY, Body=kind.encode(), Tagging=tags)
        if problem := self.refused(kind, "Data", "DataObject"):
            return "Refused", problem
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            details = self._codepipeline.list_action_executions(pipelineName=self._room.name(kind))
            for one in details["actionExecutionDetails"]:
                if one["actionName"] == "Fetch" and one["status"] != "InProgress":
                    result = one.get("output", {}).get("executionResult", {})
                    reason = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary")
                    return str(one["status"]), str(reason or "no reason was given")
            time.sleep(_POLL_SECONDS)
        return "InProgress", "it did not end in time"


def _action_type(category: str, provider: str) -> dict[str, str]:
    return {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
