"""Runs one training job on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.ecr.images import pull
from mlops_constructs.local_aws.hooks import Program
from mlops_constructs.local_aws.job_log import JobLog
from mlops_constructs.local_aws.sagemaker import job_files
from mlops_constructs.local_aws.sagemaker.checkpoints import CheckpointFolder
from mlops_constructs.local_aws.sagemaker.job_run import JobRun
from mlops_constructs.local_aws.sagemaker.role_use import check_resources, check_role

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.containers.images import Image
    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.sagemaker.capacity import Capacity
    from mlops_constructs.local_aws.sagemaker.training_job import TrainingJob
    from mlops_constructs.local_aws.service import Params

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
STOP_GRACE_SECONDS = 120.0
NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type"
    " or after some time."
)
_DEFAULT_RUNTIME_SECONDS = 86_400
_POLL_SECONDS = 0.2
_SYNC_SECONDS = 1.0
_LOG_TAIL_LINES = 5
_INTERRUPTED = "Interrupted"


class TrainingRun(JobRun):
    """Runs one job from start to end, in a thread of its own."""

    def __init__(
        self,
        account: Account,
        containers: ContainerHost,
        capacity: Capacity,
        job: TrainingJob,
        credentials: Mapping[str, Any],
    ) -> None:
        super().__init__(account, "training", job.name)
        self._containers = containers
        self._capacity = capacity
        self._job = job
        self._credentials = credentials
        self._s3 = account.client("s3", credentials)
        self._checkpoints = CheckpointFolder(self._base, job.request, self._s3)
        self._ran_seconds = 0.0
        stream = f"{job.name}/algo-1-{int(job.created.timestamp())}"
        self._log = JobLog(account, LOG_GROUP, stream, account.client("logs", credentials))

    def _fail(self, reason: str) -> None:
        self._job.finish("Failed", "Failed", {"FailureReason": reason})

    def _close_logs(self) -> None:
        self._log.close()

    def _work(self) -> None:
        if not self._capacity.take(self._job.instance_type):
            self._fail(NO_CAPACITY)
            return
        job, request = self._job, self._job.request
        job.move("Downloading")
        uri = request["AlgorithmSpecification"]["TrainingImage"]
        check_role(self._account, "SageMaker training", uri, self._log, self._credentials)
        key = request["ResourceConfig"].get("VolumeKmsKeyId")
        check_resources(self._account, self._credentials, request.get("VpcConfig"), key)
        image = pull(self._account, self._containers.images, uri, self._credentials).image
        job_files.write_configuration(self._base, request)
        job_files.download_channels(self._base, request, self._s3)
        self._checkpoints.restore()
        if job.stop_asked.is_set():
            job.finish("Stopped", "Stopped", {})
            return
        started = utc_now()
        ended_early, code = self._attempts(image)
        result = self._result(started)
        failed = ended_early is None and code != 0
        job.move("Uploading")
        model = job_files.upload_output(self._base, request, self._s3, with_model=not failed)
        if failed:
            tail = self._log.tail(_LOG_TAIL_LINES)
            result["FailureReason"] = job_files.failure_reason(self._base, code, tail)
            job.finish("Failed", "Failed", result)
            return
        result["ModelArtifacts"] = {"S3ModelArtifacts": model}
        status = "Stopped" if ended_early else "Completed"
        job.finish(status, ended_early or "Completed", result)

    def _attempts(self, image: Image) -> tuple[str | None, int]:
        """Run the program until it ends; after an interruption it starts again with its checkpoints from S3."""
        environment = {
            **self._job.request.get("Environment", {}),
            "TRAINING_JOB_NAME": self._job.name,
            "TRAINING_JOB_ARN": self._job.arn,
        }
        while True:
            self._job.move("Training")
            container = self._containers.runtime.train(image, self._base, environment, self._log.write)
            self._account.hooks.started(Program("training", self._job.name, container, self._job.spot_interruption))
            why, code = self._watch(container)
            self._checkpoints.save()
            if why != _INTERRUPTED:
                return why, code
            for secondary in (_INTERRUPTED, "Starting", "Downloading"):
                self._job.move(secondary)
            job_files.forget_work(self._base)
            self._checkpoints.restore()

    def _watch(self, container: Container) -> tuple[str | None, int]:
        """Wait for the program; return why it was stopped (None if it was not), and its exit code."""
        self._job.container = container
        started, why, synced = time.monotonic(), None, time.monotonic()
        try:
            while (code := container.wait(_POLL_SECONDS)) is None:
                if time.monotonic() - synced > _SYNC_SECONDS:
                    self._checkpoints.save()
                    synced = time.monotonic()
                why = self._reason_to_end(started)
                if why is not None:
                    container.stop(STOP_GRACE_SECONDS)
        finally:
            if container.exit_code() is None:
                container.stop(0)
            self._job.container = None
            self._ran_seconds += time.monotonic() - started
        return why, code

    def _reason_to_end(self, started: float) -> str | None:
        limits = self._job.request.get("StoppingCondition", {})
        ran = self._ran_seconds + time.monotonic() - started
        waited = time.monotonic() - self._job.accepted
        if self._job.stop_asked.is_set():
            return "Stopped"
        if ran > limits.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME_SECONDS):
            return "MaxRuntimeExceeded"
        if waited > limits.get("MaxWaitTimeInSeconds", float("inf")):
            return "MaxWaitTimeExceeded"
        if self._job.interruption.is_set() and self._job.request.get("EnableManagedSpotTraining"):
            self._job.interruption.clear()
            return _INTERRUPTED
        return None

    def _result(self, started: datetime) -> Params:
        ended = utc_now()
        metrics = job_files.final_metrics(
            self._job.request["AlgorithmSpecification"].get("MetricDefinitions", []), self._log.lines()
        )
        times = {
            "TrainingStartTime": started,
            "TrainingEndTime": ended,
            "TrainingTimeInSeconds": max(1, round((ended - started).total_seconds())),
            # The time of an interruption is not billed.
            "BillableTimeInSeconds": max(1, round(self._ran_seconds)),
        }
        return {**times, **({"FinalMetricDataList": metrics} if metrics else {})}
