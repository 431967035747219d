"""SageMaker training jobs, run for real on this machine."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.rehearsal._job_log import JobLog
from mlops_constructs.rehearsal._registry import pull
from mlops_constructs.rehearsal._roles import assume_as
from mlops_constructs.rehearsal.containers import Container, ContainerError, container_host
from mlops_constructs.rehearsal.services import sagemaker_job
from mlops_constructs.rehearsal.services._base import AwsError, Params
from mlops_constructs.rehearsal.services.sagemaker_job import JobFailure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_constructs.rehearsal.local_aws import LocalAws

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
STOP_GRACE_SECONDS = 120.0
_DEFAULT_RUNTIME_SECONDS = 86_400
_POLL_SECONDS = 0.2
_LOG_TAIL_LINES = 5
_STATUS_MESSAGE_CHARACTERS = 1024

_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data and the training image",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Stopped": "Training job stopped",
    "Failed": "Training job failed",
}


@dataclass
class TrainingJob:
    """A job: the request that made it, and its state. Written under the lock of its `TrainingJobs`."""

    request: Params
    arn: str
    created: datetime
    status: str = "InProgress"
    transitions: list[Params] = field(default_factory=list)
    result: Params = field(default_factory=dict)
    stop_asked: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """TrainingJobName."""
        return str(self.request["TrainingJobName"])

    @property
    def modified(self) -> datetime:
        """When the state changed last."""
        changed: datetime = self.transitions[-1]["StartTime"] if self.transitions else self.created
        return changed

    def move_to(self, secondary: str, message: str = "") -> None:
        """Add a transition of the secondary status."""
        now = datetime.now(timezone.utc)
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        entry = {"Status": secondary, "StartTime": now, "StatusMessage": message or _MESSAGES[secondary]}
        self.transitions.append(entry)

    def described(self) -> Params:
        """The answer of DescribeTrainingJob."""
        request = {name: value for name, value in self.request.items() if name != "Tags"}
        return {
            **request,
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.transitions[-1]["Status"],
            "SecondaryStatusTransitions": [dict(entry) for entry in self.transitions],
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            **self.result,
        }


class TrainingJobs:
    """The training jobs of the account."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._lock = threading.RLock()
        self._jobs: dict[str, TrainingJob] = {}
        self._containers: dict[str, Container] = {}

    def create(self, params: Params) -> Params:
        """Start a job. A name can be used once, forever."""
        name = params["TrainingJobName"]
        if not params.get("AlgorithmSpecification", {}).get("TrainingImage"):
            raise AwsError("ValidationException", "the local AWS trains by AlgorithmSpecification.TrainingImage")
        credentials = assume_as(self._aws, "sagemaker.amazonaws.com", params["RoleArn"], "SageMaker")
        arn = f"arn:aws:sagemaker:{self._aws.region}:{self._aws.account_id}:training-job/{name}"
        job = TrainingJob(params, arn, datetime.now(timezone.utc))
        with self._lock:
            if name in self._jobs:
                raise AwsError(
                    "ResourceInUse", f"Training job names must be unique within an AWS account: {arn} exists."
                )
            self._jobs[name] = job
            job.move_to("Starting")
        self._aws.spawn(f"training-{name}", lambda: self._run(job, credentials))
        return {"TrainingJobArn": arn}

    def find(self, name: str) -> TrainingJob:
        """The job of this name. Raises the ValidationException that SageMaker gives for none."""
        with self._lock:
            job = self._jobs.get(name)
        if job is None:
            raise AwsError("ValidationException", "Requested resource not found.")
        return job

    def describe(self, params: Params) -> Params:
        """DescribeTrainingJob."""
        job = self.find(params["TrainingJobName"])
        with self._lock:
            return job.described()

    def list_jobs(self, params: Params) -> Params:
        """ListTrainingJobs, newest first unless asked otherwise."""
        with self._lock:
            jobs = list(self._jobs.values())
            wanted = [job for job in jobs if _matches(job, params)]
            wanted.sort(key=lambda job: job.created, reverse=params.get("SortOrder") != "Ascending")
            summaries = [
                {
                    "TrainingJobName": job.name,
                    "TrainingJobArn": job.arn,
                    "CreationTime": job.created,
                    "LastModifiedTime": job.modified,
                    "TrainingJobStatus": job.status,
                    "SecondaryStatus": job.transitions[-1]["Status"],
                }
                for job in wanted
            ]
        return {"TrainingJobSummaries": summaries[: params.get("MaxResults", 100)]}

    def stop(self, params: Params) -> Params:
        """Ask a running job to end."""
        job = self.find(params["TrainingJobName"])
        with self._lock:
            if job.status != "InProgress":
                raise AwsError(
                    "ValidationException",
                    f"The request was rejected because the training job is in status {job.status}.",
                )
            job.status = "Stopping"
            job.move_to("Stopping")
        job.stop_asked.set()
        return {}

    def close(self) -> None:
        """Stop what runs."""
        with self._lock:
            running = list(self._containers.values())
        for container in running:
            container.stop(0)

    def _run(self, job: TrainingJob, credentials: Mapping[str, Any]) -> None:
        base = self._aws.workdir / "training" / job.name / "opt" / "ml"
        stream = f"{job.name}/algo-1-{int(job.created.timestamp())}"
        log = JobLog(self._aws, LOG_GROUP, stream, self._aws.client("logs", credentials))
        try:
            self._train(job, base, credentials, log)
        except (ContainerError, ClientError) as error:
            self._finish(job, "Failed", "Failed", {"FailureReason": f"ClientError: {error}"})
        except JobFailure as error:
            self._finish(job, "Failed", "Failed", {"FailureReason": str(error)})
        except Exception as error:
            if self._aws.closing.is_set():
                return
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            self._finish(job, "Failed", "Failed", {"FailureReason": reason})
            logger.exception("training job %s", job.name)
        finally:
            log.close()
            shutil.rmtree(base, ignore_errors=True)

    def _train(self, job: TrainingJob, base: Path, credentials: Mapping[str, Any], log: JobLog) -> None:
        s3 = self._aws.client("s3", credentials)
        self._move(job, "Downloading")
        host = container_host(self._aws)
        image = pull(self._aws, host.images, job.request["AlgorithmSpecification"]["TrainingImage"], credentials).image
        sagemaker_job.write_configuration(base, job.request)
        sagemaker_job.download_channels(base, job.request, s3)
        environment = {
            **job.request.get("Environment", {}),
            "TRAINING_JOB_NAME": job.name,
            "TRAINING_JOB_ARN": job.arn,
        }
        if job.stop_asked.is_set():
            self._finish(job, "Stopped", "Stopped", {})
            return
        self._move(job, "Training")
        started = datetime.now(timezone.utc)
        container = host.runtime.train(image, base, environment, log.write)
        ended_early, code = self._watch(job, container)
        times = _times(started)
        metrics = sagemaker_job.final_metrics(
            job.request["AlgorithmSpecification"].get("MetricDefinitions", []), log.lines()
        )
        result = {**times, **({"FinalMetricDataList": metrics} if metrics else {})}
        failed = ended_early is None and code != 0
        self._move(job, "Uploading")
        model = sagemaker_job.upload_output(base, job.request, s3, with_model=not failed)
        if failed:
            result["FailureReason"] = sagemaker_job.failure_reason(base, code, log.tail(_LOG_TAIL_LINES))
            self._finish(job, "Failed", "Failed", result)
            return
        result["ModelArtifacts"] = {"S3ModelArtifacts": model}
        self._finish(job, "Stopped" if ended_early else "Completed", ended_early or "Completed", result)

    def _watch(self, job: TrainingJob, container: Container) -> tuple[str | None, int]:
        """Wait for the program; returns why it was ended, if it was, and its exit code."""
        with self._lock:
            self._containers[job.name] = container
        seconds = job.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME_SECONDS)
        deadline = time.monotonic() + seconds
        why = None
        try:
            while (code := container.wait(_POLL_SECONDS)) is None:
                if job.stop_asked.is_set() or time.monotonic() > deadline:
                    why = "Stopped" if job.stop_asked.is_set() else "MaxRuntimeExceeded"
                    container.stop(STOP_GRACE_SECONDS)
        finally:
            with self._lock:
                del self._containers[job.name]
        return why, code

    def _move(self, job: TrainingJob, secondary: str) -> None:
        with self._lock:
            if job.status == "InProgress":
                job.move_to(secondary)
        self._announce(job)

    def _finish(self, job: TrainingJob, status: str, secondary: str, result: Params) -> None:
        with self._lock:
            job.result.update(result)
            job.move_to(secondary, result.get("FailureReason", "")[:_STATUS_MESSAGE_CHARACTERS])
            job.status = status
        reason = result.get("FailureReason")
        self._aws.log(f"training job {job.name}: {status}" + (f" ({reason})" if reason else ""))
        self._announce(job)

    def _announce(self, job: TrainingJob) -> None:
        with self._lock:
            detail = {
                "TrainingJobName": job.name,
                "TrainingJobArn": job.arn,
                "TrainingJobStatus": job.status,
                "SecondaryStatus": job.transitions[-1]["Status"],
                "FailureReason": job.result.get("FailureReason", ""),
            }
        self._aws.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Training Job State Change",
                "resources": [job.arn],
                "detail": detail,
            }
        )


def _times(started: datetime) -> Params:
    ended = datetime.now(timezone.utc)
    seconds = max(1, round((ended - started).total_seconds()))
    return {
        "TrainingStartTime": started,
        "TrainingEndTime": ended,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
    }


def _matches(job: TrainingJob, params: Params) -> bool:
    return params.get("NameContains", "") in job.name and params.get("StatusEquals", job.status) == job.status
