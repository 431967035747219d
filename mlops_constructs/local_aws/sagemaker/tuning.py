"""SageMaker hyperparameter tuning jobs: searches over training jobs that really train."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.search import Chosen, choices
from mlops_constructs.local_aws.sagemaker.tuning_job import RUNNING, TuningJob, child_request
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws
    from mlops_constructs.local_aws.sagemaker.training import TrainingJob, TrainingJobs

CreateChild = Callable[[Params, str], Params]
logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_MOST_JOBS = 500
_ALL_FAILED = "All training jobs failed. Please take a look at the training jobs failures to get more details."
_NO_METRIC = (
    "No objective metrics found after running {} training jobs. Please ensure that the custom algorithm is emitting"
    " the objective metric as defined by the regular expression provided."
)


class TuningJobs:
    """The tuning jobs of the account."""

    def __init__(self, aws: LocalAws, training: TrainingJobs, create_child: CreateChild) -> None:
        self._aws = aws
        self._training = training
        self._create_child = create_child
        self._lock = threading.RLock()
        self._jobs: dict[str, TuningJob] = {}

    def create(self, params: Params) -> Params:
        """Start a search. A name can be used once, forever."""
        name, aws = params["HyperParameterTuningJobName"], self._aws
        if "TrainingJobDefinition" not in params or "WarmStartConfig" in params or "Autotune" in params:
            raise AwsError("ValidationException", "the local AWS tunes by one TrainingJobDefinition, from the start")
        assume_as(aws, "sagemaker.amazonaws.com", params["TrainingJobDefinition"]["RoleArn"], "SageMaker")
        arn = f"arn:{aws.partition}:sagemaker:{aws.region}:{aws.account_id}:hyper-parameter-tuning-job/{name}"
        now = datetime.now(timezone.utc)
        job = TuningJob(params, arn, now, now)
        with self._lock:
            if name.lower() in self._jobs:
                raise AwsError("ResourceInUse", f"Tuning job names must be unique within an AWS account: {arn} exists.")
            self._jobs[name.lower()] = job
        self._announce(job)
        aws.spawn(f"tuning-{name}", lambda: self._run(job))
        return {"HyperParameterTuningJobArn": arn}

    def find(self, name: str) -> TuningJob:
        """The job of this name. Raises the ResourceNotFound that SageMaker gives for none."""
        with self._lock:
            job = self._jobs.get(name.lower())
        if job is None:
            raise AwsError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}.")
        return job

    def list_jobs(self, params: Params) -> Params:
        """ListHyperParameterTuningJobs, newest first."""
        with self._lock:
            described = [job.described() for job in reversed(self._jobs.values())]
        wanted = [one for one in described if params.get("NameContains", "") in one["HyperParameterTuningJobName"]]
        members = (
            *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus"),
            *("CreationTime", "LastModifiedTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters"),
        )
        summaries = [
            {**{name: one[name] for name in members}, "Strategy": one["HyperParameterTuningJobConfig"]["Strategy"]}
            for one in wanted
        ]
        return {"HyperParameterTuningJobSummaries": summaries[: params.get("MaxResults", 100)]}

    def describe(self, params: Params) -> Params:
        """DescribeHyperParameterTuningJob."""
        job = self.find(params["HyperParameterTuningJobName"])
        with self._lock:
            return job.described()

    def list_training_jobs(self, params: Params) -> Params:
        """ListTrainingJobsForHyperParameterTuningJob, oldest first."""
        job = self.find(params["HyperParameterTuningJobName"])
        with self._lock:
            return {"TrainingJobSummaries": job.summaries()[: params.get("MaxResults", 100)]}

    def stop(self, params: Params) -> Params:
        """Ask a search and all its training jobs to end."""
        job = self.find(params["HyperParameterTuningJobName"])
        with self._lock:
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
            if self._aws.closing.is_set():
                return
            logger.exception("tuning job %s", job.name)
            self._finish(job, "Failed", f"InternalServerError: {type(error).__name__}: {error}")
            return
        with self._lock:
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
        """Run the training jobs, some at a time; whether the search was ended before its time."""
        limits = job.config["ResourceLimits"]
        left = limits.get("MaxNumberOfTrainingJobs", _MOST_JOBS)
        candidates = choices(job.name, job.config)
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", float("inf"))
        running: list[TrainingJob] = []
        while not self._aws.closing.is_set():
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
        self._create_child({**child_request(job, chosen), "TrainingJobName": name}, job.arn)
        child = self._training.find(name)
        with self._lock:
            job.children.append((child, chosen))
        return child

    def _stop_children(self, running: list[TrainingJob]) -> None:
        for child in running:
            try:
                self._training.stop({"TrainingJobName": child.name})
            except AwsError:
                continue  # it has ended meanwhile
        while any(child.status in RUNNING for child in running) and not self._aws.closing.is_set():
            time.sleep(_POLL_SECONDS)

    def _finish(self, job: TuningJob, status: str, reason: str | None) -> None:
        with self._lock:
            self._set(job, status)
            job.reason, job.ended = reason, job.modified
        self._aws.log(f"tuning job {job.name}: {status}" + (f" ({reason})" if reason else ""))
        self._announce(job)

    def _set(self, job: TuningJob, status: str) -> None:
        job.status, job.modified = status, datetime.now(timezone.utc)

    def _announce(self, job: TuningJob) -> None:
        with self._lock:
            detail = {
                "HyperParameterTuningJobName": job.name,
                "HyperParameterTuningJobArn": job.arn,
                "HyperParameterTuningJobStatus": job.status,
            }
        self._aws.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker HyperParameter Tuning Job State Change",
                "resources": [job.arn],
                "detail": detail,
            }
        )
