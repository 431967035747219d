"""Runs one processing job on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.ecr.images import pull
from mlops_constructs.local_aws.hooks import Program
from mlops_constructs.local_aws.job_log import JobLog
from mlops_constructs.local_aws.sagemaker.job_run import JobRun
from mlops_constructs.local_aws.sagemaker.processing_files import download, exit_message, lay_out, upload
from mlops_constructs.local_aws.sagemaker.role_use import check_resources, check_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.sagemaker.processing_job import ProcessingJob
    from mlops_constructs.local_aws.service import Params

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_REASON_CHARACTERS = 1024
_STOP_GRACE_SECONDS = 120.0
_DEFAULT_RUNTIME_SECONDS = 86_400
_POLL_SECONDS = 0.2


class ProcessingRun(JobRun):
    """Runs one job from start to end, in a thread of its own."""

    def __init__(
        self, account: Account, containers: ContainerHost, job: ProcessingJob, credentials: Mapping[str, Any]
    ) -> None:
        super().__init__(account, "processing", job.name)
        self._containers = containers
        self._job = job
        self._credentials = credentials
        stream = f"{job.name}/algo-1-{int(job.created.timestamp())}"
        self._log = JobLog(account, LOG_GROUP, stream, account.client("logs", credentials))

    def _close_logs(self) -> None:
        self._log.close()

    def _fail(self, reason: str) -> None:
        self._job.finish("Failed", {"FailureReason": reason[:_REASON_CHARACTERS]})

    def _work(self) -> None:
        job, request, base = self._job, self._job.request, self._base
        s3 = self._account.client("s3", self._credentials)
        application = request["AppSpecification"]
        uri = application["ImageUri"]
        check_role(self._account, "SageMaker processing", uri, self._log, self._credentials)
        key = request["ProcessingResources"]["ClusterConfig"].get("VolumeKmsKeyId")
        check_resources(self._account, self._credentials, request.get("NetworkConfig", {}).get("VpcConfig"), key)
        image = pull(self._account, self._containers.images, uri, self._credentials).image
        lay_out(base, request)
        download(base, request, s3)
        started = utc_now()
        container = self._containers.runtime.run(
            image,
            base,
            application.get("ContainerEntrypoint", []),
            application.get("ContainerArguments", []),
            {**request.get("Environment", {}), "PROCESSING_JOB_NAME": job.name},
            self._log.write,
        )
        self._account.hooks.started(Program("processing", job.name, container))
        ended_early, code = self._watch(container)
        upload(base, request, s3)
        result: Params = {"ProcessingStartTime": started, "ProcessingEndTime": utc_now()}
        if message := exit_message(base):
            result["ExitMessage"] = message
        if code != 0 and not ended_early:
            tail = self._log.tail(3)
            result["FailureReason"] = f"AlgorithmError: {tail}, exit code: {code}"[-_REASON_CHARACTERS:]
            job.finish("Failed", result)
        else:
            job.finish("Stopped" if ended_early else "Completed", result)

    def _watch(self, container: Container) -> tuple[bool, int]:
        """Wait for the program; return whether it was stopped early, and its exit code."""
        limits = self._job.request.get("StoppingCondition", {})
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME_SECONDS)
        self._job.container = container
        ended = False
        try:
            while (code := container.wait(_POLL_SECONDS)) is None:
                if self._job.stop_asked.is_set() or time.monotonic() > deadline:
                    ended = True
                    container.stop(_STOP_GRACE_SECONDS)
        finally:
            self._job.container = None
        return ended, code
