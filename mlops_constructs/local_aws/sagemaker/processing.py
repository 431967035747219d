"""SageMaker processing jobs, run for real on this machine."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.containers.host import Container, ContainerError, container_host
from mlops_constructs.local_aws.ecr.images import pull
from mlops_constructs.local_aws.job_log import JobLog
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.job_files import JobFailure, download_prefix, split_s3_uri
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
MESSAGE_CHARACTERS = 1024
_ROOT = "/opt/ml/"
_STOP_GRACE_SECONDS = 120.0
_POLL_SECONDS = 0.2


@dataclass
class ProcessingJob:
    """A job: the request that made it, and its state."""

    request: Params
    arn: str
    created: datetime
    status: str = "InProgress"
    result: Params = field(default_factory=dict)
    stop_asked: Event = field(default_factory=Event)

    @property
    def name(self) -> str:
        """ProcessingJobName."""
        return str(self.request["ProcessingJobName"])


class ProcessingJobs(Service):
    """The processing jobs of the account."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        self._jobs: dict[str, ProcessingJob] = {}

    def create_processing_job(self, params: Params) -> Params:
        """Run the program in the background. A name can be used once, forever."""
        name = params["ProcessingJobName"]
        for entry in (
            *params.get("ProcessingInputs", []),
            *params.get("ProcessingOutputConfig", {}).get("Outputs", []),
        ):
            place = entry.get("S3Input", entry.get("S3Output", {})).get("LocalPath", "")
            if not place.startswith(f"{_ROOT}processing/"):
                raise AwsError("ValidationException", f"the local AWS needs S3 and {_ROOT}processing/, got {place!r}")
        credentials = assume_as(self.aws, "sagemaker.amazonaws.com", params["RoleArn"], "SageMaker")
        arn = f"arn:{self.aws.partition}:sagemaker:{self.aws.region}:{self.aws.account_id}:processing-job/{name}"
        job = ProcessingJob(params, arn, datetime.now(timezone.utc))
        with self.lock:
            if name in self._jobs:
                message = f"Processing job names must be unique within an AWS account: {arn} exists."
                raise AwsError("ResourceInUse", message)
            self._jobs[name] = job
        self.aws.spawn(f"processing-{name}", lambda: self._run(job, credentials))
        return {"ProcessingJobArn": arn}

    def describe_processing_job(self, params: Params) -> Params:
        """The state of a job."""
        job = self._find(params["ProcessingJobName"])
        with self.lock:
            request = {name: value for name, value in job.request.items() if name != "Tags"}
            state = {"ProcessingJobArn": job.arn, "ProcessingJobStatus": job.status, "CreationTime": job.created}
            return {**request, **state, **job.result}

    def list_processing_jobs(self, params: Params) -> Params:
        """Jobs by name or status, the newest first."""
        with self.lock:
            found = [
                {
                    "ProcessingJobName": job.name,
                    "ProcessingJobArn": job.arn,
                    "CreationTime": job.created,
                    "ProcessingJobStatus": job.status,
                }
                for job in sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)
                if params.get("NameContains", "") in job.name and params.get("StatusEquals", job.status) == job.status
            ]
        return {"ProcessingJobSummaries": found[: params.get("MaxResults", 100)]}

    def stop_processing_job(self, params: Params) -> Params:
        """Ask a running job to end."""
        job = self._find(params["ProcessingJobName"])
        with self.lock:
            if job.status != "InProgress":
                raise AwsError("ValidationException", f"The processing job is in status {job.status}.")
            job.status = "Stopping"
        job.stop_asked.set()
        return {}

    def _find(self, name: str) -> ProcessingJob:
        with self.lock:
            job = self._jobs.get(name)
        if job is None:
            raise AwsError("ValidationException", "Could not find requested job.")
        return job

    def _run(self, job: ProcessingJob, credentials: Mapping[str, Any]) -> None:
        base = self.aws.workdir / "processing" / job.name / "opt" / "ml"
        stream = f"{job.name}/algo-1-{int(job.created.timestamp())}"
        log = JobLog(self.aws, LOG_GROUP, stream, self.aws.client("logs", credentials))
        try:
            self._process(job, base, credentials, log)
        except (ContainerError, ClientError) as error:
            self._finish(job, "Failed", {"FailureReason": f"ClientError: {error}"[:MESSAGE_CHARACTERS]})
        except JobFailure as error:
            self._finish(job, "Failed", {"FailureReason": str(error)[:MESSAGE_CHARACTERS]})
        except Exception as error:
            if self.aws.closing.is_set():
                return
            self._finish(job, "Failed", {"FailureReason": f"InternalServerError: {type(error).__name__}: {error}"})
            logger.exception("processing job %s", job.name)
        finally:
            log.close()
            shutil.rmtree(base, ignore_errors=True)

    def _process(self, job: ProcessingJob, base: Path, credentials: Mapping[str, Any], log: JobLog) -> None:
        s3, request = self.aws.client("s3", credentials), job.request
        application = request["AppSpecification"]
        host = container_host(self.aws)
        image = pull(self.aws, host.images, application["ImageUri"], credentials).image
        _lay_out(base, request)
        for entry in request.get("ProcessingInputs", []):
            _download(entry, base, s3)
        environment = {**request.get("Environment", {}), "PROCESSING_JOB_NAME": job.name}
        started = datetime.now(timezone.utc)
        container = host.runtime.run(
            image,
            base,
            application.get("ContainerEntrypoint", []),
            application.get("ContainerArguments", []),
            environment,
            log.write,
        )
        ended_early, code = self._watch(job, container)
        for output in _outputs(request):
            _upload(output, request["ProcessingOutputConfig"].get("KmsKeyId"), base, s3)
        result: Params = {"ProcessingStartTime": started, "ProcessingEndTime": datetime.now(timezone.utc)}
        if message := _message(base):
            result["ExitMessage"] = message
        if code != 0 and not ended_early:
            tail = log.tail(3)
            result["FailureReason"] = f"AlgorithmError: {tail}, exit code: {code}"[-MESSAGE_CHARACTERS:]
            self._finish(job, "Failed", result)
        else:
            self._finish(job, "Stopped" if ended_early else "Completed", result)

    def _watch(self, job: ProcessingJob, container: Container) -> tuple[bool, int]:
        """Wait for the program; whether it was ended, and its exit code."""
        deadline = time.monotonic() + job.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400)
        ended = False
        while (code := container.wait(_POLL_SECONDS)) is None:
            if job.stop_asked.is_set() or time.monotonic() > deadline:
                ended = True
                container.stop(_STOP_GRACE_SECONDS)
        return ended, code

    def _finish(self, job: ProcessingJob, status: str, result: Params) -> None:
        with self.lock:
            job.result.update(result)
            job.status = status
        reason = result.get("FailureReason")
        self.aws.log(f"processing job {job.name}: {status}" + (f" ({reason})" if reason else ""))


def _lay_out(base: Path, request: Params) -> None:
    (base / "config").mkdir(parents=True)
    (base / "output").mkdir()
    shown = {name: value for name, value in request.items() if name not in ("Tags", "Environment")}
    cluster = request["ProcessingResources"]["ClusterConfig"]
    resources = {"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": cluster.get("InstanceType")}
    for name, content in {"processingjobconfig": shown, "resourceconfig": resources}.items():
        (base / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    for output in _outputs(request):
        _local(output["LocalPath"], base).mkdir(parents=True, exist_ok=True)


def _outputs(request: Params) -> list[Params]:
    return [output["S3Output"] for output in request.get("ProcessingOutputConfig", {}).get("Outputs", [])]


def _local(path: str, base: Path) -> Path:
    return base / path.removeprefix(_ROOT)


def _download(entry: Params, base: Path, s3: Any) -> None:
    source = entry["S3Input"]
    folder = _local(source["LocalPath"], base)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if download_prefix(s3, source["S3Uri"], folder) == 0:
        raise JobFailure(f'ClientError: No S3 objects found under S3 URL "{source["S3Uri"]}" of {entry["InputName"]}.')


def _upload(output: Params, key_id: str | None, base: Path, s3: Any) -> None:
    bucket, prefix = split_s3_uri(output["S3Uri"])
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    folder = _local(output["LocalPath"], base)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), **encryption)


def _message(base: Path) -> str:
    """What the program says of itself, for people."""
    file = base / "output" / "message"
    return file.read_bytes().decode(errors="replace").strip()[:MESSAGE_CHARACTERS] if file.is_file() else ""
