"""The answer of a wait for a job.

Either may come first, a job that fails at once or a question that is asked long before the end, so the function is
called for both and whichever comes last does the work. The answer is always yes: whether there is a model, and why
not, is told by the action after it, which can say more than the 512 characters of an answer.
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
# The approval was answered, or its execution is gone.
_NOBODY_WAITS = frozenset({"ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"})


def answer_training(event: dict[str, Any], settings: Settings, codepipeline: Any, sagemaker: Any) -> None:
    """Answer the wait of the execution that is in the stage now, if its job is over.

    Raises StepError when a wait has begun and its token is not to be seen yet.
    """
    execution_id, latest = _latest(settings, codepipeline)
    if latest.get("status") != "InProgress" or "token" not in latest:
        _check_began(event, execution_id, latest)
        logs.info("nothing waits")
        return
    token = latest["token"]
    jobs = jobs_of(settings.job_kind, sagemaker, settings.job_prefix)
    found = list(jobs.of_execution(execution_id))
    if found and found[-1].is_running:
        logs.info("the job goes on", execution=execution_id)
        return
    # Without a job there is nothing to wait for: a release is deployed again.
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
        if error_code(error) not in _NOBODY_WAITS:
            raise
        logs.info("nothing waits any more", code=error_code(error))
        return
    logs.info("answered", execution=execution_id, summary=summary)


def _latest(settings: Settings, codepipeline: Any) -> tuple[str, dict[str, Any]]:
    """The execution that is or was last in the stage, and what its wait is at: status, and token to answer it with."""
    state = codepipeline.get_pipeline_state(name=settings.pipeline)
    for stage in state["stageStates"]:
        for action in stage.get("actionStates", []):
            if (stage["stageName"], action["actionName"]) == (settings.stage, settings.action):
                execution_id = stage.get("latestExecution", {}).get("pipelineExecutionId", "")
                return str(execution_id), action.get("latestExecution", {})
    return "", {}


def _check_began(event: dict[str, Any], execution_id: str, latest: dict[str, Any]) -> None:
    """Make Lambda deliver the event of a wait again, twice and minutes later, where the state still lags behind.

    No other event would come where the job is over already.
    """
    detail = event.get("detail", {})
    if detail.get("state") != "STARTED":
        return
    answered = execution_id == detail.get("execution-id") and latest.get("status") not in {None, "InProgress"}
    if not answered:
        raise StepError(f"The wait of execution {detail.get('execution-id')} has begun, and has no token yet.")
