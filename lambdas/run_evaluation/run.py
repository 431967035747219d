"""One execution's evaluation: at most one job at a time, never an endless wait, always the real reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handler_kit import logs, tokens
from handler_kit.console import log_link
from handler_kit.errors import ConfigurationError, StepFailure, error_code, error_message, is_transient
from handler_kit.job_names import attempt_of, job_name
from handler_kit.report import Continue, Success
from handler_kit.tokens import Token
from run_evaluation.request import REPORT, STARTED_BY, differences, processing_request, report_folder

if TYPE_CHECKING:
    from run_evaluation.settings import Params, Settings

# CodePipeline gives a Lambda action 24 h in all; an hour is left for what comes before and after.
MAXIMUM_WAIT_SECONDS = 23 * 3600
MAXIMUM_ATTEMPTS = 9
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"

_RUNNING = frozenset({"InProgress", "Stopping"})


class Evaluator:
    """Starts and follows the evaluation of one execution."""

    def __init__(self, params: Params, settings: Settings, sagemaker: Any, pipeline_job_id: str) -> None:
        self._params = params
        self._settings = settings
        self._sagemaker = sagemaker
        self._pipeline_job_id = pipeline_job_id
        self._first_name = job_name(settings.job_prefix, params.execution_id)

    def start(self, *, now: int) -> Continue:
        """Start the job, or adopt the one that an earlier delivery of this event started.

        A job that failed in an earlier try of the stage gets a successor.
        """
        for number in range(1, MAXIMUM_ATTEMPTS + 1):
            name = job_name(self._settings.job_prefix, self._params.execution_id, number)
            request = processing_request(name, self._params, self._settings, self._pipeline_job_id)
            if self._create(request) or self._adopts(name, request):
                logs.info("evaluation under way", processing_job=name)
                return _waiting(Token(name, now + MAXIMUM_WAIT_SECONDS), "started")
        raise StepFailure(
            f"Processing job {self._first_name} and its {MAXIMUM_ATTEMPTS - 1} successors have all failed."
            " Start a new execution."
        )

    def poll(self, token_text: str, *, now: int) -> Success | Continue:
        """Look at the job. Raises StepFailure with the program's or SageMaker's reason when it did not complete."""
        token = tokens.decode(
            token_text,
            is_ours=lambda name: attempt_of(name, self._first_name) is not None,
            latest_deadline=now + MAXIMUM_WAIT_SECONDS,
        )
        try:
            job = self._sagemaker.describe_processing_job(ProcessingJobName=token.awaits)
        except (ClientError, BotoCoreError) as error:
            if not is_transient(error):
                raise
            logs.info("describe answered with a passing error", processing_job=token.awaits, error=str(error))
            return self._wait(token, "unknown for the moment", now)
        status = job["ProcessingJobStatus"]
        if status in _RUNNING:
            return self._wait(token, status, now)
        if status != "Completed":
            raise _failure(job)
        uri = f"{report_folder(self._settings, token.awaits)}/{REPORT}"
        outputs = {"EvaluationUri": uri, "JobName": token.awaits, "JobArn": job["ProcessingJobArn"]}
        return Success(outputs, summary=f"Processing job {token.awaits} completed", external_id=token.awaits)

    def _wait(self, token: Token, status: str, now: int) -> Continue:
        if now >= token.deadline:
            raise StepFailure(
                f"Processing job {token.awaits} is still {status} after {MAXIMUM_WAIT_SECONDS // 3600} h, and"
                " CodePipeline waits no longer. The job may go on and cost money: stop it, or lower"
                " max_runtime_seconds.",
                external_id=token.awaits,
            )
        return _waiting(token, status)

    def _create(self, request: dict[str, Any]) -> bool:
        """Whether the job was created; ``False`` when its name is taken."""
        try:
            self._sagemaker.create_processing_job(**request)
        except ClientError as error:
            if error_code(error) == "ResourceInUse":
                return False
            if error_code(error) == "ResourceLimitExceeded":
                raise ConfigurationError(
                    f"The account's quota does not admit {self._settings.instance_type} for processing:"
                    f" {error_message(error)} Ask for a higher quota in Service Quotas, or choose another instance"
                    " type."
                ) from error
            raise
        return True

    def _adopts(self, name: str, request: dict[str, Any]) -> bool:
        job = self._sagemaker.describe_processing_job(ProcessingJobName=name)
        over = job["ProcessingJobStatus"] not in _RUNNING | {"Completed"}
        if over and job.get("Environment", {}).get(STARTED_BY) != self._pipeline_job_id:
            return False
        if found := differences(request, job):
            raise StepFailure(
                f"Processing job {name} exists already and is another evaluation: {'; '.join(found)}."
                " Start a new execution."
            )
        return True


def _waiting(token: Token, status: str) -> Continue:
    return Continue(token, summary=f"Processing job {token.awaits}: {status}", external_id=token.awaits)


def _failure(job: dict[str, Any]) -> StepFailure:
    # What the program says of itself comes before what SageMaker makes of its exit code.
    told = [text for text in (job.get("ExitMessage"), job.get("FailureReason")) if text]
    reason = " ".join(told) or "SageMaker gives no reason; it may have run longer than max_runtime_seconds."
    link = log_link(job["ProcessingJobArn"], LOG_GROUP)
    status = job["ProcessingJobStatus"]
    return StepFailure(
        f"Evaluation {job['ProcessingJobName']} ended as {status}: {reason} Logs: {link}", external_id=link
    )
