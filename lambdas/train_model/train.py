"""One execution's training: at most one job at a time, never an endless wait, always the real reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from handler_kit import logs, tokens
from handler_kit.clients import client
from handler_kit.errors import ConfigurationError, StepFailure, error_code, error_message, is_transient
from handler_kit.report import Continue, Success
from handler_kit.tokens import Token
from train_model.image import pin
from train_model.request import (
    MAXIMUM_ATTEMPTS,
    STARTED_BY,
    attempt_of,
    differences,
    job_name,
    training_request,
)

if TYPE_CHECKING:
    from train_model.settings import Params, Settings

# CodePipeline gives a Lambda action 24 h in all; an hour is left for what comes before and after.
MAXIMUM_WAIT_SECONDS = 23 * 3600
CAPACITY_ATTEMPTS = 3
NO_IMAGE = "none"

_RUNNING = frozenset({"InProgress", "Stopping"})
_CONSOLES = {"aws-us-gov": "console.amazonaws-us-gov.com", "aws-cn": "console.amazonaws.cn"}


class Trainer:
    """Starts and follows the training of one execution."""

    def __init__(self, params: Params, settings: Settings, sagemaker: Any, ssm: Any, pipeline_job_id: str) -> None:
        self._params = params
        self._settings = settings
        self._sagemaker = sagemaker
        self._ssm = ssm
        self._pipeline_job_id = pipeline_job_id
        self._first_name = job_name(settings.job_prefix, params.execution_id)

    def start(self, *, now: int) -> Continue:
        """Start the job, or adopt the one that an earlier delivery of this event started."""
        name = self._start(attempt=1)
        return _waiting(Token(name, now + MAXIMUM_WAIT_SECONDS), "started")

    def poll(self, token_text: str, *, now: int) -> Success | Continue:
        """Look at the job. Raises StepFailure with SageMaker's reason when it did not complete."""
        token = tokens.decode(
            token_text,
            is_ours=lambda name: attempt_of(name, self._first_name) is not None,
            latest_deadline=now + MAXIMUM_WAIT_SECONDS,
        )
        try:
            job = self._sagemaker.describe_training_job(TrainingJobName=token.awaits)
        except (ClientError, BotoCoreError) as error:
            if not is_transient(error):
                raise
            logs.info("describe answered with a passing error", training_job=token.awaits, error=str(error))
            return self._wait(token, "unknown for the moment", now)
        status = job["TrainingJobStatus"]
        if status in _RUNNING:
            return self._wait(token, f"{status} ({job.get('SecondaryStatus', 'no details')})", now)
        if status == "Completed":
            return _completed(job)
        attempt = attempt_of(token.awaits, self._first_name) or 1
        if job.get("FailureReason", "").startswith("CapacityError") and attempt < CAPACITY_ATTEMPTS:
            logs.info("no capacity, trying again", training_job=token.awaits)
            return self._wait(Token(self._start(attempt + 1), token.deadline), "started again", now)
        raise _failure(job)

    def _wait(self, token: Token, status: str, now: int) -> Continue:
        if now >= token.deadline:
            raise StepFailure(
                f"Training job {token.awaits} is still {status} after {MAXIMUM_WAIT_SECONDS // 3600} h, and"
                " CodePipeline waits no longer. The job may go on and cost money: stop it, or lower"
                " max_runtime_seconds.",
                external_id=token.awaits,
            )
        return _waiting(token, status)

    def _start(self, attempt: int) -> str:
        """Create the job, or adopt it; a job that failed in an earlier try of the stage gets a successor."""
        image = self._image()
        for number in range(attempt, MAXIMUM_ATTEMPTS + 1):
            name = job_name(self._settings.job_prefix, self._params.execution_id, number)
            request = training_request(name, image, self._params, self._settings, self._pipeline_job_id)
            if self._create(request):
                logs.info("training job started", training_job=name, image=image)
                return name
            existing = self._sagemaker.describe_training_job(TrainingJobName=name)
            if self._adopts(existing, request):
                logs.info("training job adopted", training_job=name, status=existing["TrainingJobStatus"])
                return name
        raise StepFailure(
            f"Training job {self._first_name} and its {MAXIMUM_ATTEMPTS - 1} successors have all failed."
            " Start a new execution."
        )

    def _create(self, request: dict[str, Any]) -> bool:
        """Whether the job was created; ``False`` when its name is taken."""
        try:
            self._sagemaker.create_training_job(**request)
        except ClientError as error:
            if error_code(error) == "ResourceInUse":
                return False
            if error_code(error) == "ResourceLimitExceeded":
                raise ConfigurationError(
                    f"The account's quota does not admit {self._settings.instance_count} x"
                    f" {self._settings.instance_type} for training: {error_message(error)} Ask for a higher"
                    " quota in Service Quotas, or choose another instance type."
                ) from error
            raise
        return True

    def _adopts(self, job: dict[str, Any], request: dict[str, Any]) -> bool:
        over = job["TrainingJobStatus"] not in _RUNNING | {"Completed"}
        if over and job.get("Environment", {}).get(STARTED_BY) != self._pipeline_job_id:
            return False
        if found := differences(request, job):
            raise StepFailure(
                f"Training job {job['TrainingJobName']} exists already and is another training:"
                f" {'; '.join(found)}. Start a new execution."
            )
        return True

    def _image(self) -> str:
        name = self._settings.image_parameter
        try:
            image = str(self._ssm.get_parameter(Name=name)["Parameter"]["Value"]).strip()
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            image = ""
        if image in {"", NO_IMAGE}:
            raise ConfigurationError(
                f"There is no image to train with yet (SSM parameter {name}). Build the image first: push to"
                f" the repository, or start the pipeline {self._settings.job_prefix}-image; then retry this"
                " stage."
            )
        return pin(image, lambda: client("ecr"))


def _waiting(token: Token, status: str) -> Continue:
    return Continue(token, summary=f"Training job {token.awaits}: {status}", external_id=token.awaits)


def _completed(job: dict[str, Any]) -> Success:
    outputs = {
        "JobName": job["TrainingJobName"],
        "JobArn": job["TrainingJobArn"],
        "Image": job["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    seconds = job.get("TrainingTimeInSeconds")
    took = "" if seconds is None else f" in {seconds} s"
    return Success(
        outputs,
        summary=f"Training job {job['TrainingJobName']} completed{took}",
        external_id=job["TrainingJobName"],
    )


def _failure(job: dict[str, Any]) -> StepFailure:
    name, status = job["TrainingJobName"], job["TrainingJobStatus"]
    reason = job.get("FailureReason") or _why_stopped(job.get("SecondaryStatus", ""))
    link = log_link(job["TrainingJobArn"])
    return StepFailure(f"Training job {name} ended as {status}: {reason} Logs: {link}", external_id=link)


def _why_stopped(secondary_status: str) -> str:
    if secondary_status in {"MaxRuntimeExceeded", "MaxWaitTimeExceeded"}:
        return f"it ran longer than allowed ({secondary_status}); raise max_runtime_seconds."
    return f"SageMaker gives no reason (secondary status {secondary_status or 'unknown'})."


def log_link(job_arn: str) -> str:
    """The console page with the log of a training job."""
    _, partition, _, region, _, resource = job_arn.split(":", 5)
    console = _CONSOLES.get(partition, "console.aws.amazon.com")
    # The console wants its fragment quoted twice, with $ in the place of %.
    group = _console_quote("/aws/sagemaker/TrainingJobs")
    stream = _console_quote(f"{resource.partition('/')[2]}/")
    return (
        f"https://{console}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}$3FlogStreamNameFilter$3D{stream}"
    )


def _console_quote(text: str) -> str:
    return quote(quote(text, safe=""), safe="").replace("%", "$")
