"""One execution's training: starts its job, waits for it or reads it, and returns the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.clients import client
from handler_kit.errors import ConfigurationError, error_code
from handler_kit.executions import Execution
from handler_kit.images import pin
from handler_kit.job_run import JobRun, StillRunning
from handler_kit.job_states import WITHOUT_INSTANCES
from handler_kit.report import Continue, Success
from handler_kit.settings import NONE
from handler_kit.training_jobs import TrainingJobs, TuningJobs
from train_model.request import training_request, tuning_request
from train_model.results import result
from train_model.source import put_source

if TYPE_CHECKING:
    from handler_kit.sagemaker_jobs import FoundJob
    from train_model.settings import Document, Params, Settings

STEPS = ("train", "start", "read")


class Trainer:
    """Starts the training of one execution, waits for it, and reads its result."""

    def __init__(
        self, params: Params, settings: Settings, document: Document, sagemaker: Any, ssm: Any, pipeline_job_id: str
    ) -> None:
        if params.step not in STEPS:
            raise ConfigurationError(f"UserParameters key step: must be one of {STEPS}, got {params.step!r}")
        self._params = params
        self._settings = settings
        self._document = document
        self._ssm = ssm
        self._pipeline_job_id = pipeline_job_id
        self._pinned: str | None = None
        kind = TrainingJobs if document.tuning_job is None else TuningJobs
        self._jobs = kind(sagemaker, settings.job_prefix)
        self._run = JobRun(
            self._jobs,
            Execution(client("codepipeline"), settings.pipeline, params.execution_id),
            started_by=pipeline_job_id,
            request=self._request,
            capacity_retries=document.capacity_retries,
            enough=self._has_begun,
        )

    def call(self, token_text: str | None, *, now: int) -> Success | Continue:
        """Do what ``Params.step`` says. Raises StepError with SageMaker's reason when the job produced no model."""
        try:
            if self._params.step == "read":
                found = self._run.read(token_text, now=now)
            else:
                found = self._run.call(token_text, now=now)
        except StillRunning as waited:
            if self._params.step != "start":
                raise
            return self._handed_over(waited.name, waited.status)
        return found if isinstance(found, Continue) else self._judged(found)

    def _judged(self, job: FoundJob) -> Success:
        if self._params.step != "start":
            return result(job, self._jobs)
        if job.is_running or job.has_result:
            return self._handed_over(job.name, job.status)
        raise self._jobs.failure(job)

    def _has_begun(self, job: FoundJob) -> bool:
        """Whether ``start`` is done although the job is running: once it has instances, an event reports its end."""
        if self._params.step != "start":
            return False
        return isinstance(self._jobs, TuningJobs) or job.secondary_status not in WITHOUT_INSTANCES

    def _handed_over(self, name: str, status: str) -> Success:
        return Success(summary=f"{self._jobs.noun} {name}: {status}; an event reports its end", external_id=name)

    def _request(self, name: str, retries: int) -> dict[str, Any]:
        put_source(self._params, self._settings, self._document, client("s3"))
        region = self._ssm.meta.region_name
        known = (name, self._image(), self._params, self._settings, self._document, self._pipeline_job_id, region)
        if isinstance(self._jobs, TuningJobs):
            return tuning_request(*known)
        return training_request(*known, retries)

    def _image(self) -> str:
        """The image by digest; every attempt in one invocation uses the same image."""
        if self._pinned is None:
            self._pinned = pin(self._configured_image(), lambda: client("ecr"))
        return self._pinned

    def _configured_image(self) -> str:
        name = self._settings.image_parameter
        try:
            image = str(self._ssm.get_parameter(Name=name)["Parameter"]["Value"]).strip()
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            image = ""
        if image in {"", NONE}:
            raise ConfigurationError(
                f"There is no image to train with yet (SSM parameter {name}). Build the image first: push to"
                f" the repository, or start the pipeline {self._settings.pipeline}-image; then retry this stage."
            )
        return image
