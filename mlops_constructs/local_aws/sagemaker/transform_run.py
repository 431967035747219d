"""Runs one transform job on this machine: the model's server as a process, and the objects sent to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.ecr.images import pull
from mlops_constructs.local_aws.hooks import Program
from mlops_constructs.local_aws.job_log import JobLog
from mlops_constructs.local_aws.sagemaker.job_files import JobError
from mlops_constructs.local_aws.sagemaker.job_run import JobRun
from mlops_constructs.local_aws.sagemaker.model_container import fetch_model
from mlops_constructs.local_aws.sagemaker.on_demand import is_healthy
from mlops_constructs.local_aws.sagemaker.role_use import check_role
from mlops_constructs.local_aws.sagemaker.transform_objects import OUTPUT_SUFFIX, Places, input_keys, store
from mlops_constructs.local_aws.sagemaker.transform_requests import Requests, Settings

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.sagemaker.capacity import Capacity
    from mlops_constructs.local_aws.sagemaker.transform_job import TransformJob
    from mlops_constructs.local_aws.service import Params

LOG_GROUP = "/aws/sagemaker/TransformJobs"
PING_SECONDS = 60.0
STOP_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_REASON_CHARACTERS = 1024
# https://github.com/aws/deep-learning-containers/issues/586
_SEE_LOGS = "See job logs for more information"
# https://github.com/aws/amazon-sagemaker-examples/issues/852
_NO_PING = (
    "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and"
    " responds with an HTTP 200 status code"
)


class TransformRun(JobRun):
    """Runs one job from start to end, in a thread of its own."""

    def __init__(
        self,
        account: Account,
        containers: ContainerHost,
        capacity: Capacity,
        job: TransformJob,
        model: tuple[Params, dict[str, Any]],
    ) -> None:
        super().__init__(account, "transform", job.name)
        self._containers = containers
        self._capacity = capacity
        self._job = job
        self._definition, self._credentials = model
        stream = f"{job.name}/algo-1-{int(job.created.timestamp())}"
        client = account.client("logs", self._credentials)
        self._log = JobLog(account, LOG_GROUP, stream, client)
        # SageMaker's own lines, beside those of the container.
        self._data_log = JobLog(account, LOG_GROUP, f"{stream}/data-log", client)

    def _fail(self, reason: str) -> None:
        self._close_logs()
        self._job.finish("Failed", reason[:_REASON_CHARACTERS])

    def _close_logs(self) -> None:
        self._log.close()
        self._data_log.close()

    def _work(self) -> None:
        job, uri = self._job, self._definition["Image"]
        if not self._capacity.take(job.instance_type):
            raise JobError(f"CapacityError: Unable to provision requested ML compute capacity for {job.instance_type}.")
        check_role(self._account, "SageMaker transform", uri, self._log, self._credentials)
        image = pull(self._account, self._containers.images, uri, self._credentials).image
        fetch_model(self._account, self._definition.get("ModelDataUrl"), self._base / "model", self._credentials)
        settings = Settings.of(job.request)
        environment = {
            **self._definition.get("Environment", {}),
            **job.request.get("Environment", {}),
            **settings.environment(),
        }
        container = self._containers.runtime.serve(image, self._base, environment, self._log.write)
        job.container = container
        self._account.hooks.started(Program("transform", job.name, container))
        try:
            self._await_ping(container)
            job.start()
            failures = self._send(container, settings)
        finally:
            job.container = None
            container.stop(STOP_SECONDS)
        if job.stop_asked.is_set():
            self._close_logs()
            job.finish("Stopped")
        elif failures:
            # The side of the last failure, as SageMaker names one reason only.
            raise JobError(f"{failures[-1].partition(':')[0]}: {_SEE_LOGS}")
        else:
            self._close_logs()
            job.finish("Completed")

    def _await_ping(self, container: Container) -> None:
        deadline = time.monotonic() + PING_SECONDS
        while not is_healthy(container):
            if self._job.stop_asked.is_set():
                return
            if container.exit_code() is not None or time.monotonic() > deadline:
                raise JobError(_NO_PING)
            time.sleep(_PAUSE_SECONDS)

    def _send(self, container: Container, settings: Settings) -> list[str]:
        """Transform every object; return the reasons of those that failed. One that fails has no output."""
        s3, request = self._account.client("s3", self._credentials), self._job.request
        requests = Requests(container, settings.with_defaults(container), request, self._job.stop_asked)
        self._data_log.write(f"{_stamp()}:[sagemaker logs]: {requests.settings}")
        places, failures = Places.of(request, s3), []
        for key in input_keys(request, s3, places):
            if self._job.stop_asked.is_set():
                break
            try:
                output = requests.transformed(s3.get_object(Bucket=places.bucket, Key=key)["Body"].read())
            except (JobError, ClientError) as error:
                reason = str(error) if isinstance(error, JobError) else f"ClientError: {error}"
                failures.append(reason)
                self._note(f"{places.bucket}/{key}", reason)
                continue
            if not self._job.stop_asked.is_set():
                store(s3, request, f"{places.relative(key)}{OUTPUT_SUFFIX}", output)
        return failures

    def _note(self, place: str, reason: str) -> None:
        """Log a failure in the form that SageMaker has.

        https://github.com/aws/amazon-sagemaker-examples/issues/1620
        """
        first, _, rest = reason.partition("\n")
        lines = [first, *(["", "Message:", *rest.splitlines()] if rest else [])]
        for line in lines:
            self._data_log.write(f"{_stamp()}:[sagemaker logs]: {place}: {line}")


def _stamp() -> str:
    return f"{utc_now():%Y-%m-%dT%H:%M:%S.000}"
