"""SageMaker training jobs: what is known of them, and what can be asked."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.job_files import check_times
from mlops_constructs.local_aws.sagemaker.training_run import TrainingRun
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.local_aws import LocalAws

_STATUS_MESSAGE_CHARACTERS = 1024

_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data and the training image",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "Training job interrupted, as the capacity is needed elsewhere",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job exceeded MaxWaitTimeInSeconds provided",
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
    interruption: threading.Event = field(default_factory=threading.Event)
    container: Container | None = None

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
        self._no_capacity: Counter[str] = Counter()
        self._no_quota: set[str] = set()

    def refuse_capacity(self, instance_type: str, times: int) -> None:
        """Let the next jobs on this instance type fail as on AWS when it has none."""
        with self._lock:
            self._no_capacity[instance_type] += times

    def refuse_quota(self, instance_type: str) -> None:
        """Let the account have no quota for this instance type."""
        with self._lock:
            self._no_quota.add(instance_type)

    def interrupt(self, name: str) -> None:
        """Take a spot job's instances away while it trains; it starts again from its last checkpoint."""
        self.find(name).interruption.set()

    def create(self, params: Params, tuning_job_arn: str | None = None) -> Params:
        """Start a job. A name can be used once, forever."""
        name = params["TrainingJobName"]
        if not params.get("AlgorithmSpecification", {}).get("TrainingImage"):
            raise AwsError("ValidationException", "the local AWS trains by AlgorithmSpecification.TrainingImage")
        check_times(params)
        credentials = assume_as(self._aws, "sagemaker.amazonaws.com", params["RoleArn"], "SageMaker")
        aws = self._aws
        arn = f"arn:{aws.partition}:sagemaker:{aws.region}:{aws.account_id}:training-job/{name}"
        job = TrainingJob(params, arn, datetime.now(timezone.utc))
        if tuning_job_arn is not None:
            job.result["TuningJobArn"] = tuning_job_arn
        instance_type = params.get("ResourceConfig", {}).get("InstanceType", "")
        with self._lock:
            if instance_type in self._no_quota:
                limit = f"The account-level service limit '{instance_type} for training job usage' is 0 Instances"
                raise AwsError("ResourceLimitExceeded", f"{limit}, with current utilization of 0 Instances.")
            if name in self._jobs:
                raise AwsError(
                    "ResourceInUse", f"Training job names must be unique within an AWS account: {arn} exists."
                )
            self._jobs[name] = job
            job.move_to("Starting")
        self._aws.spawn(f"training-{name}", TrainingRun(aws, self, job, credentials).run)
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
        self._announce(job)
        return {}

    def close(self) -> None:
        """Stop what runs."""
        with self._lock:
            running = [job.container for job in self._jobs.values() if job.container is not None]
        for container in running:
            container.stop(0)

    def has_capacity(self, job: TrainingJob) -> bool:
        """Whether there is an instance for the job; uses up one refusal when there is none."""
        instance_type = job.request.get("ResourceConfig", {}).get("InstanceType", "")
        with self._lock:
            if self._no_capacity[instance_type] == 0:
                return True
            self._no_capacity[instance_type] -= 1
        return False

    def runs_in(self, job: TrainingJob, container: Container | None) -> None:
        """Remember what must end with the local AWS."""
        with self._lock:
            job.container = container

    def move(self, job: TrainingJob, secondary: str) -> None:
        """Add a transition, unless the job is being stopped."""
        with self._lock:
            if job.status == "InProgress":
                job.move_to(secondary)
        self._announce(job)

    def finish(self, job: TrainingJob, status: str, secondary: str, result: Params) -> None:
        """Give the job its last status."""
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


def _matches(job: TrainingJob, params: Params) -> bool:
    return params.get("NameContains", "") in job.name and params.get("StatusEquals", job.status) == job.status
