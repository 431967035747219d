"""Executions of a pipeline: list them, wait for them, follow them, and approve or reject."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .clients import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from .clients import Clients

_POLL_SECONDS = 0.5
_ENDED = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
# ListPipelineExecutions returns at most this many at once.
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionExecution:
    """One action execution.

    Attributes:
        action_execution_id: Its id.
        execution_id: The pipeline execution that it belongs to.
        stage: Name of the stage.
        name: Name of the action.
        status: As in CodePipeline: ``InProgress``, ``Succeeded``, ``Failed`` or ``Abandoned``.
        summary: The reason of a failure, or the action's summary; may be empty.
        variables: Its output variables.
        seconds: Time from its start to its last change.
        is_approval: Whether it is a manual approval action.
        asks_people: Whether it notifies people. The wait for a long training job is an approval without notification.
        evidence: What the approver reads; empty for other actions.
    """

    action_execution_id: str
    execution_id: str
    stage: str
    name: str
    status: str
    summary: str
    variables: Mapping[str, str]
    seconds: float
    is_approval: bool
    asks_people: bool
    evidence: str

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> ActionExecution:
        """Read one detail of ListActionExecutions."""
        given, output = detail["input"], detail.get("output", {})
        result = output.get("executionResult", {})
        is_approval = given["actionTypeId"]["category"] == "Approval"
        # Not yet there in the first moment of an action: until then nobody could read the evidence.
        resolved = given.get("resolvedConfiguration", {})
        return cls(
            action_execution_id=detail["actionExecutionId"],
            execution_id=detail["pipelineExecutionId"],
            stage=detail["stageName"],
            name=detail["actionName"],
            status=detail["status"],
            summary=str(
                result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary", "") or ""
            ),
            variables=output.get("outputVariables", {}),
            seconds=(detail["lastUpdateTime"] - detail["startTime"]).total_seconds(),
            is_approval=is_approval,
            asks_people=is_approval and "NotificationArn" in resolved,
            evidence=resolved.get("CustomData", "") if is_approval else "",
        )

    @property
    def waits(self) -> bool:
        """Whether it waits for a person now."""
        return self.asks_people and self.status == "InProgress"


@dataclass(frozen=True, slots=True)
class Execution:
    """The state of one execution.

    Attributes:
        pipeline: Name of the pipeline.
        execution_id: Its id.
        status: As in CodePipeline, such as ``InProgress`` or ``Succeeded``.
        actions: Every action execution, oldest first.
    """

    pipeline: str
    execution_id: str
    status: str
    actions: Sequence[ActionExecution]

    @property
    def ended(self) -> bool:
        """Whether the execution has ended."""
        return self.status in _ENDED

    @property
    def reason(self) -> str:
        """Stage, action and message of the first action that failed, or an empty string."""
        for action in self.actions:
            if action.status in ("Failed", "Abandoned"):
                return f"{action.stage} / {action.name}: {action.summary or action.status}"
        return ""

    def variable(self, action: str, name: str) -> str:
        """Return an output variable of an action, or an empty string."""
        return next((one.variables.get(name, "") for one in self.actions if one.name == action), "")


class Executions:
    """The executions of one CodePipeline."""

    def __init__(self, client: Clients, pipeline: str) -> None:
        """Take the clients and the name of the pipeline."""
        self._codepipeline, self.pipeline = client("codepipeline"), pipeline

    def newest(self) -> list[dict[str, Any]]:
        """Return the newest executions, at most 100, newest first, as ListPipelineExecutions does."""
        with self._explained():
            answer = self._codepipeline.list_pipeline_executions(pipelineName=self.pipeline, maxResults=_PAGE)
        found: list[dict[str, Any]] = answer["pipelineExecutionSummaries"]
        return found

    def ids(self) -> set[str]:
        """Return the ids of the newest executions."""
        return {one["pipelineExecutionId"] for one in self.newest()}

    def wait_for_start(
        self,
        known: set[str],
        seconds: float,
        *,
        version_id: str | None = None,
        pause: Callable[[float], None] = time.sleep,
        poll_seconds: float = _POLL_SECONDS,
    ) -> str | None:
        """Wait for an execution that is not ``known``; return the id of the oldest, or None when none starts in time.

        Args:
            known: Ids of executions that existed before.
            seconds: How long to wait.
            version_id: S3 version of the data set that it must run on; None for any.
            pause: Waits between polls.
            poll_seconds: How long it waits.
        """
        deadline = time.monotonic() + seconds
        while True:
            for one in reversed(self.newest()):
                versions = [revision.get("revisionId") for revision in one.get("sourceRevisions", [])]
                if one["pipelineExecutionId"] not in known and (version_id is None or version_id in versions):
                    return str(one["pipelineExecutionId"])
            if time.monotonic() >= deadline:
                return None
            pause(poll_seconds)

    def execution(self, execution_id: str) -> Execution:
        """Return the current state of an execution."""
        with self._explained():
            answer = self._codepipeline.get_pipeline_execution(
                pipelineName=self.pipeline, pipelineExecutionId=execution_id
            )
        # The status first: all actions that ended before are then in the list of actions.
        status: str = answer["pipelineExecution"]["status"]
        return Execution(self.pipeline, execution_id, status, self.actions(execution_id))

    def follow(
        self, execution_id: str, *, pause: Callable[[float], None] = time.sleep, poll_seconds: float = _POLL_SECONDS
    ) -> Iterator[Execution]:
        """Yield the state of an execution again and again, until it has ended."""
        while True:
            execution = self.execution(execution_id)
            yield execution
            if execution.ended:
                return
            pause(poll_seconds)

    def actions(self, execution_id: str | None = None) -> list[ActionExecution]:
        """Return the actions of one execution, or of all, oldest first."""
        only = {} if execution_id is None else {"filter": {"pipelineExecutionId": execution_id}}
        with self._explained():
            pages = self._codepipeline.get_paginator("list_action_executions").paginate(
                pipelineName=self.pipeline, **only
            )
            newest_first = [detail for page in pages for detail in page["actionExecutionDetails"]]
        oldest_first = sorted(reversed(newest_first), key=lambda detail: detail["startTime"])
        return [ActionExecution.of(detail) for detail in oldest_first]

    def waiting(self) -> ActionExecution | None:
        """Return the approval that waits for a person, or None."""
        for one in self.newest():
            # An execution that is to stop ends only when its approval is given or refused.
            if one["status"] in ("InProgress", "Stopping"):
                approvals = [action for action in self.actions(one["pipelineExecutionId"]) if action.waits]
                if approvals:
                    return approvals[-1]
        return None

    def stop(self, execution_id: str, reason: str, *, abandon: bool) -> None:
        """Stop an execution: at the end of its current actions, or now, which abandons them."""
        with explained(f"the execution {execution_id} of {self.pipeline} could not be stopped"):
            self._codepipeline.stop_pipeline_execution(
                pipelineName=self.pipeline, pipelineExecutionId=execution_id, reason=reason, abandon=abandon
            )

    def approval_token(self, approval: ActionExecution) -> str | None:
        """Return the token for ``answer``, or None while CodePipeline does not have one yet."""
        with self._explained():
            state = self._codepipeline.get_pipeline_state(name=self.pipeline)
        for stage in state["stageStates"]:
            for action in stage.get("actionStates", []):
                if (stage["stageName"], action["actionName"]) == (approval.stage, approval.name):
                    token: str | None = action.get("latestExecution", {}).get("token")
                    return token
        return None

    def answer(self, approval: ActionExecution, token: str, *, approved: bool, summary: str) -> None:
        """Approve or reject.

        Args:
            approval: The action that waits for the approval.
            token: The result of ``approval_token``.
            approved: True approves, False rejects.
            summary: The reason, which CodePipeline keeps.
        """
        with explained(f"the approval of {self.pipeline} could not be answered"):
            self._codepipeline.put_approval_result(
                pipelineName=self.pipeline,
                stageName=approval.stage,
                actionName=approval.name,
                token=token,
                result={"status": "Approved" if approved else "Rejected", "summary": summary},
            )

    def _explained(self) -> AbstractContextManager[None]:
        return explained(f"the executions of {self.pipeline} could not be looked up")
