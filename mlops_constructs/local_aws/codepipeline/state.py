"""The state of pipeline executions, while they run and afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    from datetime import datetime


Definition = dict[str, Any]
"""A part of a pipeline's definition, as GetPipeline returns it."""


class Status(str, Enum):
    """States of executions, stages and actions, as the API spells them."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    ABANDONED = "Abandoned"
    SUPERSEDED = "Superseded"


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.ABANDONED, Status.SUPERSEDED})


class ActionFailedError(Exception):
    """An action failed; `message` is the reason and `code` CodePipeline's failure type."""

    def __init__(self, message: str, code: str = "JobFailed") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class AbandonedError(Exception):
    """An action was abandoned, because its execution was abandoned or the local AWS closes."""


@dataclass(frozen=True)
class Artifact:
    """The location of an artifact in S3, and its source revision."""

    name: str
    bucket: str
    key: str
    revision: str | None = None


@dataclass(frozen=True)
class SourceRevision:
    """The source revision that a source action used."""

    action: str
    id: str
    summary: str
    artifact: str


@dataclass
class Approval:
    """A manual approval; once it is decided, `status` is Approved or Rejected and `answered_by` the approver's ARN.

    While it is `held`, an answer waits.
    """

    token: str
    status: str | None = None
    held: bool = True
    summary: str = ""
    answered_by: str | None = None


@dataclass
class Job:
    """A CodePipeline job for a Lambda function, and the result that the function reported."""

    id: str
    data: dict[str, Any]
    succeeded: bool = False
    failed: bool = False
    continuation_token: str | None = None
    output_variables: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    failure_code: str = ""
    failure_message: str = ""

    def is_done(self) -> bool:
        """Whether the function has reported a result."""
        return self.succeeded or self.failed


@dataclass
class ActionRun:
    """One run of an action."""

    stage: str
    definition: Definition
    id: str = field(default_factory=lambda: str(uuid4()))
    status: Status = Status.IN_PROGRESS
    started: datetime = field(default_factory=utc_now)
    updated: datetime = field(default_factory=utc_now)
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    summary: str | None = None
    external_id: str | None = None
    external_url: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    approval: Approval | None = None

    @property
    def name(self) -> str:
        """The action's name in the pipeline."""
        return str(self.definition["name"])


@dataclass
class StageRun:
    """An execution's run of a stage; a retry replaces the runs of the actions that it repeats."""

    name: str
    status: Status = Status.IN_PROGRESS
    actions: dict[str, ActionRun] = field(default_factory=dict)


@dataclass
class Execution:
    """One execution of a pipeline."""

    pipeline: Definition
    trigger: dict[str, str]
    variables: dict[str, str]
    overrides: list[dict[str, str]]
    id: str = field(default_factory=lambda: str(uuid4()))
    status: Status = Status.IN_PROGRESS
    summary: str | None = None
    started: datetime = field(default_factory=utc_now)
    updated: datetime = field(default_factory=utc_now)
    stages: dict[str, StageRun] = field(default_factory=dict)
    history: list[ActionRun] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    revisions: list[SourceRevision] = field(default_factory=list)
    stop_reason: str | None = None
    stopping: bool = False
    abandoned: bool = False

    @property
    def pipeline_name(self) -> str:
        """The name of the pipeline."""
        return str(self.pipeline["name"])

    @property
    def mode(self) -> str:
        """QUEUED, SUPERSEDED or PARALLEL."""
        return str(self.pipeline.get("executionMode", "SUPERSEDED"))

    def override(self, action: str, kind: str) -> str | None:
        """The source revision that was requested when the execution was started."""
        for override in self.overrides:
            if override["actionName"] == action and override["revisionType"] == kind:
                return override["revisionValue"]
        return None
