"""SageMaker hyperparameter tuning jobs, whose training jobs really train."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.jobs import listed
from mlops_constructs.local_aws.sagemaker.pages import page_of
from mlops_constructs.local_aws.sagemaker.search import Chosen, choices
from mlops_constructs.local_aws.sagemaker.tuning_job import RUNNING, TuningJob, child_request
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.sagemaker.tags import Tags
    from mlops_constructs.local_aws.sagemaker.training import TrainingJobs
    from mlops_constructs.local_aws.sagemaker.training_job import TrainingJob

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_MOST_JOBS = 500
_ALL_FAILED = "All training jobs failed. Please take a look at the training jobs failures to get more details."
_NO_METRIC = (
    "No objective metrics found after running {} training jobs. Please ensure that the custom algorithm is emitting"
    " the objective metric as defined by the regular expression provided."
)


class TuningJobs(Service):
    """The tuning jobs of the account."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account, training: TrainingJobs, tags: Tags) -> None:
        super().__init__(account)
        self._training = training
        self._tags = tags
        self._jobs: dict[str, TuningJob] = {}

    def create_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """Run training jobs with chosen hyperparameters in the background. A name can never be used again."""
        name = params["HyperParameterTuningJobName"]
        if "TrainingJobDefinition" not in params or "WarmStartConfig" in params or "Autotune" in params:
            raise AwsError(
                "ValidationException", "the local AWS supports one TrainingJobDefinition, and no warm start or Autotune"
            )
        assume_as(self.account, "sagemaker.amazonaws.com", params["TrainingJobDefinition"]["RoleArn"], "SageMaker")
        arn = self.account.arn("sagemaker", f"hyper-parameter-tuning-job/{name}")
        now = utc_now()
        job = TuningJob(params, arn, now, now)
        with self.lock:
            if name.lower() in self._jobs:
                raise AwsError("ResourceInUse", f"Tuning job names must be unique within an AWS account: {arn} exists.")
            self._jobs[name.lower()] = job
        self._tags.tag(arn, params)
        self._announce(job)
        self.account.spawn(f"tuning-{name}", lambda: self._run(job))
        return {"HyperParameterTuningJobArn": arn}

    def find(self, name: str) -> TuningJob:
        """The job with this name. Raises SageMaker's ResourceNotFound when there is none."""
        with self.lock:
            job = self._jobs.get(name.lower())
        if job is None:
            raise AwsError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}.")
        return job

    def list_hyper_parameter_tuning_jobs(self, params: Params) -> Params:
        """Tuning jobs, optionally filtered by name or status, by default the newest first."""
        with self.lock:
            return listed("HyperParameterTuningJobSummaries", self._jobs.values(), params)

    def describe_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """The state of a tuning job."""
        job = self.find(params["HyperParameterTuningJobName"])
        with self.lock:
            return job.described()

    def list_training_jobs_for_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """The training jobs of a tuning job, optionally filtered by status, oldest first."""
        job = self.find(params["HyperParameterTuningJobName"])
        with self.lock:
            found = [
                one
                for one in job.summaries()
                if params.get("StatusEquals", one["TrainingJobStatus"]) == one["TrainingJobStatus"]
            ]
        return page_of("TrainingJobSummaries", found, params)

    def stop_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """Stop a tuning job and all its training jobs."""
        job = self.find(params["HyperParameterTuningJobName"])
        with self.lock:
            if job.status != "InProgress":
                raise AwsError(
                    "ValidationException", f"The request was rejected because the tuning job is in status {job.status}."
                )
            self._set(job, "Stopping")
        job.stop_asked.set()
        self._announce(job)
        return {}

    def _run(self, job: TuningJob) -> None:
        try:
            stopped = self._search(job)
        except Exception as error:
            if self.account.closing.is_set():
                return
            logger.exception("tuning job %s", job.name)
            self._finish(job, "Failed", f"InternalServerError: {type(error).__name__}: {error}")
            return
        with self.lock:
            completed = sum(child.status == "Completed" for child, _ in job.children)
            has_best = job.best() is not None
        if stopped:
            self._finish(job, "Stopped", None)
        elif has_best:
            self._finish(job, "Completed", None)
        else:
            reason = _NO_METRIC.format(len(job.children)) if completed else _ALL_FAILED
            self._finish(job, "Failed", reason)

    def _search(self, job: TuningJob) -> bool:
        """Run the training jobs, some in parallel; return whether the search was stopped early."""
        limits = job.config["ResourceLimits"]
        left = limits.get("MaxNumberOfTrainingJobs", _MOST_JOBS)
        candidates = choices(job.name, job.config)
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", float("inf"))
        running: list[TrainingJob] = []
        while not self.account.closing.is_set():
            running = [child for child in running if child.status in RUNNING]
            if job.stop_asked.is_set() or time.monotonic() > deadline:
                self._stop_children(running)
                return True
            while left > 0 and len(running) < limits["MaxParallelTrainingJobs"]:
                chosen = next(candidates, None)
                left = 0 if chosen is None else left - 1
                if chosen is not None:
                    running.append(self._start_child(job, chosen))
            if not running:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _start_child(self, job: TuningJob, chosen: Chosen) -> TrainingJob:
        number = len(job.children) + 1
        digest = hashlib.sha256(f"{job.name}{number}".encode()).hexdigest()[:8]
        name = f"{job.name}-{number:03d}-{digest}"
        child = self._training.launch({**child_request(job, chosen), "TrainingJobName": name}, job.arn)
        with self.lock:
            job.children.append((child, chosen))
        return child

    def _stop_children(self, running: list[TrainingJob]) -> None:
        for child in running:
            try:
                child.stop()
            except AwsError:
                continue  # it has ended in the meantime
        while any(child.status in RUNNING for child in running) and not self.account.closing.is_set():
            time.sleep(_POLL_SECONDS)

    def _finish(self, job: TuningJob, status: str, reason: str | None) -> None:
        with self.lock:
            self._set(job, status)
            job.reason, job.ended = reason, job.modified
        self.account.log(f"tuning job {job.name}: {status}" + (f" ({reason})" if reason else ""))
        self._announce(job)

    def _set(self, job: TuningJob, status: str) -> None:
        job.status, job.modified = status, utc_now()

    def _announce(self, job: TuningJob) -> None:
        with self.lock:
            detail = {
                "HyperParameterTuningJobName": job.name,
                "HyperParameterTuningJobArn": job.arn,
                "HyperParameterTuningJobStatus": job.status,
            }
        self.account.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker HyperParameter Tuning Job State Change",
                "resources": [job.arn],
                "detail": detail,
            }
        )
