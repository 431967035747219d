"""Follow an execution of a pipeline through CodePipeline's API, as a script on AWS would."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.errors import RehearsalError
from mlops_constructs.rehearsal.progress import Update

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.rehearsal.progress import State, Watcher

_POLL_SECONDS = 0.25
_ENDED = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
_STATES: dict[str, State] = {"Succeeded": "succeeded", "Failed": "failed", "Abandoned": "failed"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended.

    Attributes:
        pipeline: Name of the pipeline.
        execution_id: The execution.
        status: CodePipeline's own word.
        reason: Stage, action and message of the first failed action, or empty.
        actions: Every action execution, oldest first, as ListActionExecutions gives them.
    """

    pipeline: str
    execution_id: str
    status: str
    reason: str
    actions: list[dict[str, Any]]

    def variable(self, action: str, name: str) -> str:
        """Give an output variable of an action, or an empty string."""
        for execution in self.actions:
            if execution["actionName"] == action:
                variables: dict[str, str] = execution.get("output", {}).get("outputVariables", {})
                return variables.get(name, "")
        return ""


class Follower:
    """Follows executions of one pipeline."""

    def __init__(self, codepipeline: Any, pipeline: str, watcher: Watcher, pause: Callable[[float], None]) -> None:
        """Follow ``pipeline``; ``pause`` waits between polls and raises when the rehearsal is to end."""
        self._codepipeline, self._pipeline, self._watcher, self._pause = codepipeline, pipeline, watcher, pause
        self._shown: dict[str, tuple[str, str]] = {}
        self._answered: set[str] = set()

    def executions(self) -> list[dict[str, Any]]:
        """Give the executions there are, newest first."""
        answer = self._codepipeline.list_pipeline_executions(pipelineName=self._pipeline)
        summaries: list[dict[str, Any]] = answer["pipelineExecutionSummaries"]
        return summaries

    def wait_for_start(self, known: set[str], timeout_seconds: float) -> str:
        """Wait for an execution that is not ``known``; give its id.

        Raises:
            RehearsalError: when none starts in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            new = [one for one in self.executions() if one["pipelineExecutionId"] not in known]
            if new:
                return str(new[-1]["pipelineExecutionId"])
            self._pause(_POLL_SECONDS)
        raise RehearsalError(f"no execution of pipeline {self._pipeline} started within {timeout_seconds:.0f} s")

    def follow(self, execution_id: str) -> Outcome:
        """Show each action as it changes, answer the approval, and give the end."""
        while True:
            answer = self._codepipeline.get_pipeline_execution(
                pipelineName=self._pipeline, pipelineExecutionId=execution_id
            )
            status = answer["pipelineExecution"]["status"]
            actions = self._actions(execution_id)
            self._show(actions)
            if status in _ENDED:
                return Outcome(self._pipeline, execution_id, status, _reason(actions), actions)
            self._answer_approval(execution_id, actions)
            self._pause(_POLL_SECONDS)

    def _actions(self, execution_id: str) -> list[dict[str, Any]]:
        paginator = self._codepipeline.get_paginator("list_action_executions")
        pages = paginator.paginate(pipelineName=self._pipeline, filter={"pipelineExecutionId": execution_id})
        newest_first = [action for page in pages for action in page["actionExecutionDetails"]]
        return sorted(reversed(newest_first), key=lambda action: action["startTime"])

    def _show(self, actions: list[dict[str, Any]]) -> None:
        for action in actions:
            status = action["status"]
            state = _STATES.get(status, "waiting" if _is_approval(action) else "running")
            detail = _summary(action)
            if self._shown.get(action["actionExecutionId"]) == (status, detail):
                continue
            self._shown[action["actionExecutionId"]] = (status, detail)
            seconds = (action["lastUpdateTime"] - action["startTime"]).total_seconds()
            self._watcher.update(
                Update(
                    group=f"Pipeline {self._pipeline}",
                    name=f"{action['stageName']} / {action['actionName']}",
                    state=state,
                    detail=detail,
                    seconds=seconds,
                )
            )

    def _answer_approval(self, execution_id: str, actions: list[dict[str, Any]]) -> None:
        for action in actions:
            if not _asks_people(action) or action["status"] != "InProgress":
                continue
            if action["actionExecutionId"] in self._answered:
                continue
            token = self._token(action["stageName"], action["actionName"])
            if token is None:
                continue
            self._answered.add(action["actionExecutionId"])
            evidence = action["input"].get("resolvedConfiguration", {}).get("CustomData", "")
            approved = self._watcher.decide(evidence)
            self._codepipeline.put_approval_result(
                pipelineName=self._pipeline,
                stageName=action["stageName"],
                actionName=action["actionName"],
                token=token,
                result={
                    "status": "Approved" if approved else "Rejected",
                    "summary": f"{'approved' if approved else 'rejected'} in a rehearsal",
                },
            )

    def _token(self, stage: str, action: str) -> str | None:
        state = self._codepipeline.get_pipeline_state(name=self._pipeline)
        for stage_state in state["stageStates"]:
            for action_state in stage_state.get("actionStates", []):
                if (stage_state["stageName"], action_state["actionName"]) == (stage, action):
                    token: str | None = action_state.get("latestExecution", {}).get("token")
                    return token
        return None


def _is_approval(action: dict[str, Any]) -> bool:
    kind: str = action["input"]["actionTypeId"]["category"]
    return kind == "Approval"


def _asks_people(action: dict[str, Any]) -> bool:
    """Whether an approval tells somebody: the wait for a long training is an approval that nobody is asked for."""
    return _is_approval(action) and "NotificationArn" in action["input"].get("configuration", {})


def _summary(action: dict[str, Any]) -> str:
    result = action.get("output", {}).get("executionResult", {})
    error = result.get("errorDetails", {}).get("message", "")
    return str(error or result.get("externalExecutionSummary", ""))


def _reason(actions: list[dict[str, Any]]) -> str:
    for action in actions:
        if action["status"] in ("Failed", "Abandoned"):
            return f"{action['stageName']} / {action['actionName']}: {_summary(action) or action['status']}"
    return ""
