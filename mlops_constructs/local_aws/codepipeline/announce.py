"""Announces state changes: by an EventBridge event, and by a log line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.state import ActionRun, Execution, Status

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_EVENT_STATES = {Status.IN_PROGRESS: "STARTED"}


class Announcer:
    """Emits 'CodePipeline ... Execution State Change' events."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def pipeline(self, execution: Execution, *, resumed: bool = False) -> None:
        """Announce the present state of an execution."""
        if self._account.closing.is_set():
            return
        state = "RESUMED" if resumed else _state(execution.status)
        detail: dict[str, Any] = {
            "execution-trigger": {
                "trigger-type": execution.trigger["triggerType"],
                "trigger-detail": execution.trigger.get("triggerDetail", ""),
            }
        }
        self._emit(execution, "Pipeline", state, detail)
        because = f": {execution.summary}" if execution.summary else ""
        self._account.log(f"pipeline {execution.pipeline_name} {execution.id[:8]}: {state.lower()}{because}")

    def stage(self, execution: Execution, stage: str, status: Status, *, resumed: bool = False) -> None:
        """Announce the state of a stage of an execution."""
        state = "RESUMED" if resumed else _state(status)
        self._emit(execution, "Stage", state, {"stage": stage})

    def action(self, execution: Execution, run: ActionRun) -> None:
        """Announce the present state of an action."""
        if self._account.closing.is_set():
            return
        kind = run.definition["actionTypeId"]
        detail: dict[str, Any] = {
            "stage": run.stage,
            "action": run.name,
            "action-execution-id": run.id,
            "region": self._account.region,
            "type": {key: kind[key] for key in ("owner", "category", "provider", "version")},
        }
        result = {
            "external-execution-id": run.external_id,
            "external-execution-url": run.external_url,
            "external-execution-summary": run.summary if run.summary is not None else run.error_message,
            "error-code": run.error_code,
        }
        if run.status is not Status.IN_PROGRESS:
            detail["execution-result"] = {key: value for key, value in result.items() if value is not None}
        self._emit(execution, "Action", _state(run.status), detail)
        because = f": {run.error_message}" if run.error_message else ""
        where = f"{execution.pipeline_name} {execution.id[:8]} {run.stage}/{run.name}"
        self._account.log(f"pipeline {where}: {_state(run.status).lower()}{because}")

    def _emit(self, execution: Execution, what: str, state: str, detail: dict[str, Any]) -> None:
        name = execution.pipeline_name
        arn = self._account.arn("codepipeline", name)
        common = {
            "pipeline": name,
            "execution-id": execution.id,
            "state": state,
            "version": float(execution.pipeline["version"]),
        }
        self._account.emit(
            {
                "source": "aws.codepipeline",
                "detail-type": f"CodePipeline {what} Execution State Change",
                "resources": [arn],
                "detail": {**common, **detail},
            }
        )


def _state(status: Status) -> str:
    return _EVENT_STATES.get(status, status.value.upper())
