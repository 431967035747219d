"""What an action reports to CodePipeline, and the only place that reports it.

CodePipeline waits until the result of a job is reported, so every action reports exactly once, whatever happens.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import job as jobs
from handler_kit import logs
from handler_kit.clients import client
from handler_kit.errors import StepError, as_step_failure, error_code, error_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from handler_kit.job import Job
    from handler_kit.tokens import Token

MAX_MESSAGE_CHARACTERS = 5000
MAX_EXTERNAL_ID_CHARACTERS = 1500
MAX_SUMMARY_CHARACTERS = 2048

_ALREADY_REPORTED = frozenset({"InvalidJobStateException", "JobNotFoundException"})
_REPORT_REFUSED = frozenset({"OutputVariablesSizeExceededException", "ValidationException"})


@dataclass(frozen=True)
class Success:
    """The action has succeeded; the outputs become the variables of its namespace."""

    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    external_id: str = ""


@dataclass(frozen=True)
class Continue:
    """The action waits; CodePipeline invokes the function again in about half a minute, with the token."""

    token: Token
    summary: str = ""
    external_id: str = ""


def pipeline_step(step: Callable[[Job], Success | Continue]) -> Callable[[dict[str, Any], object], None]:
    """Turn ``step`` into a Lambda handler that always reports: what it returns, or why it failed."""

    @functools.wraps(step)
    def handler(event: dict[str, Any], context: object) -> None:
        job_id = jobs.job_id(event)
        logs.hide(*jobs.secrets(event))
        outcome = _outcome(step, event, job_id)
        try:
            _put(job_id, outcome)
        except ClientError as error:
            if error_code(error) in _ALREADY_REPORTED:
                # Lambda may deliver an event twice; the first delivery has reported.
                logs.info("job was already reported", job=job_id, code=error_code(error))
            elif error_code(error) in _REPORT_REFUSED and not isinstance(outcome, StepError):
                _put(
                    job_id,
                    StepError(f"CodePipeline refused the result of this action: {error_message(error)}"),
                )
            else:
                # Lambda delivers the event again; a failure that is reported here could stop a healthy action.
                raise

    return handler


def _outcome(
    step: Callable[[Job], Success | Continue], event: dict[str, Any], job_id: str
) -> Success | Continue | StepError:
    try:
        return step(jobs.parse(event))
    except StepError as failure:
        logs.info("action failed", job=job_id, kind=failure.kind, reason=str(failure))
        return failure
    except Exception as error:  # The action must report any failure, or the pipeline waits until the timeout.
        logs.error("action failed unexpectedly", error, job=job_id)
        return as_step_failure(error)


def _put(job_id: str, outcome: Success | Continue | StepError) -> None:
    codepipeline = client("codepipeline")
    if isinstance(outcome, StepError):
        codepipeline.put_job_failure_result(jobId=job_id, failureDetails=_failure_details(outcome))
        return
    request: dict[str, Any] = {"jobId": job_id}
    details = {
        "summary": _cut(outcome.summary, MAX_SUMMARY_CHARACTERS),
        "externalExecutionId": _cut(outcome.external_id, MAX_EXTERNAL_ID_CHARACTERS),
    }
    if any(details.values()):
        request["executionDetails"] = {name: text for name, text in details.items() if text}
    if isinstance(outcome, Continue):
        request["continuationToken"] = outcome.token.encode()
    elif outcome.outputs:
        request["outputVariables"] = outcome.outputs
    codepipeline.put_job_success_result(**request)
    logs.info("reported", job=job_id, result=type(outcome).__name__, summary=outcome.summary)


def _failure_details(failure: StepError) -> dict[str, str]:
    message = logs.redact(str(failure)) or type(failure).__name__
    details = {"type": failure.kind, "message": _cut(message, MAX_MESSAGE_CHARACTERS)}
    if failure.external_id:
        details["externalExecutionId"] = _cut(failure.external_id, MAX_EXTERNAL_ID_CHARACTERS)
    return details


def _cut(text: str, maximum: int) -> str:
    return text if len(text) <= maximum else text[: maximum - 1] + "…"
