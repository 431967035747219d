"""One execution's training: at most one job at a time, never an endless wait, always the real reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handler_kit import logs, tokens
from handler_kit.clients import client
from handler_kit.errors import ConfigurationError, StepFailure, error_code, error_message, is_transient
from handler_kit.report import Continue, Success
from handler_kit.tokens import Token
from handler_kit.training_jobs import MAXIMUM_ATTEMPTS, FoundJob, TuningJobs, jobs_of
from train_model.image import pin
from train_model.request import (
    CAPACITY_RETRIES,
    STARTED_BY,
    definition_of,
    differences,
    instance_types,
    training_request,
    tuning_request,
)
from train_model.results import failure, result

if TYPE_CHECKING:
    from train_model.settings import Params, Settings

# CodePipeline gives a Lambda action 24 h in all; an hour is left for what comes before and after.
MAXIMUM_WAIT_SECONDS = 23 * 3600
NO_IMAGE = "none"
STEPS = ("train", "start", "read")

# A job is in one of these while it waits for its instances.
_NOT_YET = frozenset({"", "Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})
_NO_CAPACITY = frozenset({"CapacityError", "InsufficientInstanceCapacity", "InsufficientCapacityException"})


class Trainer:
    """Starts, follows and reads the training of one execution."""

    def __init__(self, params: Params, settings: Settings, sagemaker: Any, ssm: Any, pipeline_job_id: str) -> None:
        if params.step not in STEPS:
            raise ConfigurationError(f"UserParameters key step: must be one of {STEPS}, got {params.step!r}")
        self._params = params
        self._settings = settings
        self._sagemaker = sagemaker
        self._ssm = ssm
        self._pipeline_job_id = pipeline_job_id
        self._jobs = jobs_of(settings.job_kind, sagemaker, settings.job_prefix)
        # Says at once what is wrong with prefix or execution.
        self._first_name = self._jobs.name(params.execution_id)

    def begin(self, *, now: int) -> Success | Continue:
        """Start the job, or adopt the one that an earlier delivery of this event started; or read what there is."""
        deadline = now + MAXIMUM_WAIT_SECONDS
        if self._params.step != "read":
            return self._waiting(Token(self._start(attempt=1), deadline), "started")
        found = list(self._jobs.of_execution(self._params.execution_id))
        if not found:
            raise StepFailure(f"{self._jobs.noun} {self._first_name} does not exist. Retry all actions of the stage.")
        return self._judged(found[-1], Token(found[-1].name, deadline), now)

    def poll(self, token_text: str, *, now: int) -> Success | Continue:
        """Look at the job. Raises StepFailure with SageMaker's reason when it did not complete."""
        token = tokens.decode(
            token_text,
            is_ours=lambda name: self._jobs.attempt_of(name, self._params.execution_id) is not None,
            latest_deadline=now + MAXIMUM_WAIT_SECONDS,
        )
        try:
            job = self._jobs.read(token.awaits)
        except (ClientError, BotoCoreError) as error:
            if not is_transient(error):
                raise
            logs.info("describe answered with a passing error", job=token.awaits, error=str(error))
            return self._wait(token, "unknown for the moment", now)
        return self._judged(job, token, now)

    def _judged(self, job: FoundJob, token: Token, now: int) -> Success | Continue:
        if job.is_running:
            if self._params.step == "start" and self._has_begun(job):
                return self._handed_over(job.name, job.status)
            return self._wait(token, f"{job.status} ({job.secondary_status or 'no details'})", now)
        retries = int(job.description.get("Environment", {}).get(CAPACITY_RETRIES, "0"))
        if job.reason.startswith("CapacityError") and retries < (self._settings.capacity_retries or 0):
            logs.info("no capacity, trying again", job=job.name, retries=retries)
            attempt = self._jobs.attempt_of(job.name, self._params.execution_id) or 1
            name = self._start(attempt + 1, retries + 1)
            return self._waiting(Token(name, token.deadline), f"started again, as {job.name} got no instance")
        if self._params.step == "start" and job.status == "Completed":
            return self._handed_over(job.name, job.status)
        if self._params.step == "start":
            raise failure(job, self._jobs.noun)
        return result(job, self._jobs)

    def _has_begun(self, job: FoundJob) -> bool:
        return isinstance(self._jobs, TuningJobs) or job.secondary_status not in _NOT_YET

    def _handed_over(self, name: str, status: str) -> Success:
        return Success(summary=f"{self._jobs.noun} {name}: {status}; its end is told by an event", external_id=name)

    def _wait(self, token: Token, status: str, now: int) -> Success | Continue:
        if now < token.deadline:
            return self._waiting(token, status)
        if self._params.step == "start":
            return self._handed_over(token.awaits, status)
        raise StepFailure(
            f"{self._jobs.noun} {token.awaits} is still {status} after {MAXIMUM_WAIT_SECONDS // 3600} h, and"
            " CodePipeline waits no longer. It is stopped now: lower max_runtime_seconds, or raise it above 23 h,"
            " so that the end of the job is told by an event.",
            external_id=token.awaits,
        )

    def _waiting(self, token: Token, status: str) -> Continue:
        return Continue(token, summary=f"{self._jobs.noun} {token.awaits}: {status}", external_id=token.awaits)

    def _start(self, attempt: int, retries: int = 0) -> str:
        """Create the job, or adopt it; a job that failed in an earlier try of the stage gets a successor."""
        image = self._image()
        while attempt <= MAXIMUM_ATTEMPTS:
            name = self._jobs.name(self._params.execution_id, attempt)
            request = self._request(name, image, retries)
            outcome = self._create(request)
            if outcome == "created":
                logs.info("job started", job=name, image=image)
                return name
            if outcome == "taken":
                if self._adopts(self._jobs.read(name), request):
                    return name
                attempt += 1
            elif retries < (self._settings.capacity_retries or 0):
                retries += 1
            else:
                raise StepFailure(f"{self._jobs.noun} {name} was not started: {outcome}")
        raise StepFailure(
            f"{self._jobs.noun} {self._first_name} and its {MAXIMUM_ATTEMPTS - 1} successors have all failed."
            " Start a new execution."
        )

    def _request(self, name: str, image: str, retries: int) -> dict[str, Any]:
        if isinstance(self._jobs, TuningJobs):
            return tuning_request(name, image, self._params, self._settings, self._pipeline_job_id)
        return training_request(name, image, self._params, self._settings, self._pipeline_job_id, retries)

    def _create(self, request: dict[str, Any]) -> str:
        """``created``, ``taken`` when the name is, or SageMaker's words for having no instance."""
        try:
            if isinstance(self._jobs, TuningJobs):
                self._sagemaker.create_hyper_parameter_tuning_job(**request)
            else:
                self._sagemaker.create_training_job(**request)
        except ClientError as error:
            if error_code(error) == "ResourceInUse":
                return "taken"
            if error_code(error) in _NO_CAPACITY:
                return error_message(error)
            if error_code(error) == "ResourceLimitExceeded":
                raise ConfigurationError(
                    f"The account's quota does not admit {self._settings.instance_count} x"
                    f" {self._wanted(request)} for training: {error_message(error)} Ask for a higher"
                    " quota in Service Quotas, or choose another instance type."
                ) from error
            raise
        return "created"

    def _wanted(self, request: dict[str, Any]) -> str:
        types = instance_types(self._settings)
        return str(definition_of(request).get("ResourceConfig", {}).get("InstanceType", " or ".join(types)))

    def _adopts(self, job: FoundJob, request: dict[str, Any]) -> bool:
        started_by = definition_of(job.description).get("Environment", {}).get(STARTED_BY)
        over = not job.is_running and job.status != "Completed"
        if over and started_by != self._pipeline_job_id:
            return False
        if found := differences(request, job.description):
            raise StepFailure(
                f"{self._jobs.noun} {job.name} exists already and is another training:"
                f" {'; '.join(found)}. Start a new execution."
            )
        logs.info("job adopted", job=job.name, status=job.status)
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
                f" the repository, or start the pipeline {self._settings.pipeline}-image; then retry this stage."
            )
        return pin(image, lambda: client("ecr"))
