"""Ends the wait for a job, which is a manual approval action.

The end of the job and the start of the wait may come in any order, for example when a job fails at once. Therefore
both events invoke the function, and the later event ends the wait. The result is always ``Approved``: the next action
reports whether there is a model, and why not, because it can say more than the 512 characters of a summary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import StepError, error_code
from handler_kit.training_jobs import jobs_of

if TYPE_CHECKING:
    from answer_training.settings import Settings

MAX_SUMMARY_CHARACTERS = 512
# The approval action is already completed, or its execution has ended.
_NOTHING_WAITS = frozenset({"ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"})


def answer_training(event: dict[str, Any], settings: Settings, codepipeline: Any, sagemaker: Any) -> None:
    """End the wait of the execution that is in the stage now, if its job is over.

    Raises StepError when a wait has begun and CodePipeline does not show its token yet.
    """
    execution_id, latest = _latest(settings, codepipeline)
    if latest.get("status") != "InProgress" or "token" not in latest:
        _check_began(event, execution_id, latest)
        logs.info("no action is waiting")
        return
    token = latest["token"]
    jobs = jobs_of(settings.job_kind, sagemaker, settings.job_prefix)
    found = list(jobs.of_execution(execution_id))
    if found and found[-1].is_running:
        logs.info("the job is still running", execution=execution_id)
        return
    # Without a job there is nothing to wait for: the execution is a rollback.
    summary = f"{jobs.noun} {found[-1].name} is over: {found[-1].status}" if found else "No job was started"
    try:
        codepipeline.put_approval_result(
            pipelineName=settings.pipeline,
            stageName=settings.stage,
            actionName=settings.action,
            token=token,
            result={"status": "Approved", "summary": summary[:MAX_SUMMARY_CHARACTERS]},
        )
    except ClientError as error:
        if error_code(error) not in _NOTHING_WAITS:
            raise
        logs.info("the action no longer waits", code=error_code(error))
        return
    logs.info("wait ended", execution=execution_id, summary=summary)


def _latest(settings: Settings, codepipeline: Any) -> tuple[str, dict[str, Any]]:
    """The execution that is or was last in the stage, and the state of its wait: the status, and the approval token."""
    state = codepipeline.get_pipeline_state(name=settings.pipeline)
    for stage in state["stageStates"]:
        for action in stage.get("actionStates", []):
            if (stage["stageName"], action["actionName"]) == (settings.stage, settings.action):
                execution_id = stage.get("latestExecution", {}).get("pipelineExecutionId", "")
                return str(execution_id), action.get("latestExecution", {})
    return "", {}


def _check_began(event: dict[str, Any], execution_id: str, latest: dict[str, Any]) -> None:
    """Raise when the pipeline's state does not show the wait yet, so that Lambda retries the event, twice.

    Lambda retries minutes later. When the job is over already, no other event would end the wait.
    """
    detail = event.get("detail", {})
    if detail.get("state") != "STARTED":
        return
    ended = execution_id == detail.get("execution-id") and latest.get("status") not in {None, "InProgress"}
    if not ended:
        raise StepError(
            f"Execution {detail.get('execution-id')} has begun to wait for its job, and CodePipeline shows no token of"
            " this wait yet. Lambda tries again."
        )
