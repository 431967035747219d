"""What an execution of the pipeline did, from CodePipeline's own history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# An execution with one of these statuses may still use the jobs that it has started.
_ALIVE = frozenset({"InProgress", "Stopping", "Succeeded"})


@dataclass(frozen=True)
class Execution:
    """One execution of a pipeline, whose status can be read.

    Attributes:
        codepipeline: The client.
        pipeline: Name of the pipeline.
        id: ID of the execution.
    """

    codepipeline: Any
    pipeline: str
    id: str

    def status(self) -> str:
        """``InProgress``, ``Stopped`` or another status. Raises ClientError when CodePipeline returns an error."""
        found = self.codepipeline.get_pipeline_execution(pipelineName=self.pipeline, pipelineExecutionId=self.id)
        return str(found["pipelineExecution"]["status"])

    @staticmethod
    def keeps_its_jobs(status: str) -> bool:
        """Whether an execution with this status may still use the jobs that it has started."""
        return status in _ALIVE


@dataclass(frozen=True)
class History:
    """The action executions of one pipeline execution, the newest first."""

    actions: list[dict[str, Any]]

    @classmethod
    def read(cls, codepipeline: Any, pipeline: str, execution_id: str) -> History:
        """Read the history from CodePipeline; a retried action has one entry for each attempt."""
        pages = codepipeline.get_paginator("list_action_executions").paginate(
            pipelineName=pipeline, filter={"pipelineExecutionId": execution_id}
        )
        found = [action for page in pages for action in page["actionExecutionDetails"]]
        return cls(sorted(found, key=lambda action: action["startTime"], reverse=True))

    def newest(self, stage: str, action: str, status: str) -> dict[str, Any] | None:
        """The newest attempt of an action that ended with this status; ``None`` when there is none."""
        for one in self.actions:
            if (one["stageName"], one["actionName"], one.get("status")) == (stage, action, status):
                return one
        return None

    def outputs(self, stage: str, action: str) -> dict[str, str]:
        """The output variables of the newest successful attempt of an action; empty when it never succeeded."""
        found = self.newest(stage, action, "Succeeded")
        variables: dict[str, str] = {} if found is None else found.get("output", {}).get("outputVariables", {})
        return variables

    def failed(self) -> dict[str, Any] | None:
        """The newest action that failed."""
        return next((one for one in self.actions if one.get("status") == "Failed"), None)


def result_of(action: dict[str, Any]) -> dict[str, Any]:
    """The result of an action: summary, external execution ID, error."""
    result: dict[str, Any] = action.get("output", {}).get("executionResult", {})
    return result
