"""SageMaker transform jobs, which really run on this machine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.sagemaker.capacity import Capacity
from mlops_constructs.local_aws.sagemaker.jobs import Jobs
from mlops_constructs.local_aws.sagemaker.model_container import model_of
from mlops_constructs.local_aws.sagemaker.transform_filters import JsonPathError, parsed
from mlops_constructs.local_aws.sagemaker.transform_job import TransformJob
from mlops_constructs.local_aws.sagemaker.transform_run import STOP_SECONDS, TransformRun
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.sagemaker.tags import Tags
    from mlops_constructs.local_aws.service_quotas import ServiceQuotasService

_USE = "transform job"
_NOT_SUPPORTED = ("DataCaptureConfig", "ExperimentConfig")


class TransformJobs(Jobs[TransformJob]):
    """The transform jobs of the account."""

    kind: ClassVar[str] = "Transform job"

    def __init__(self, account: Account, containers: ContainerHost, tags: Tags, quotas: ServiceQuotasService) -> None:
        super().__init__(account)
        self.capacity = Capacity()
        self._containers = containers
        self._tags = tags
        self._quotas = quotas

    def create_transform_job(self, params: Params) -> Params:
        """Serve the model and send it the input, in the background. A name can never be used again."""
        _check_support(params)
        name, resources = params["TransformJobName"], params["TransformResources"]
        try:
            model = model_of(self.account, params["ModelName"], "SageMaker", resources.get("VolumeKmsKeyId"))
        except ContainerError as error:
            raise AwsError("ValidationException", str(error)) from error
        arn = self.account.arn("sagemaker", f"transform-job/{name}")
        job = TransformJob(self.account, params, arn, utc_now())
        with self.lock:
            self._check_quota(job)
            self._keep(job)
        self._tags.tag(arn, params)
        job.announce()
        run = TransformRun(self.account, self._containers, self.capacity, job, model)
        self.account.spawn(f"transform-{name}", run.run)
        return {"TransformJobArn": arn}

    def describe_transform_job(self, params: Params) -> Params:
        """The state of a job."""
        return self.find(params["TransformJobName"]).described()

    def list_transform_jobs(self, params: Params) -> Params:
        """Jobs, optionally filtered by name or status, by default the newest first."""
        return self._listed("TransformJobSummaries", params)

    def stop_transform_job(self, params: Params) -> Params:
        """Stop a running job, which then stores no output."""
        job = self.find(params["TransformJobName"])
        job.stop()
        if job.container is not None:
            # A request may take an hour; its end is not worth waiting for.
            self.account.spawn(f"stop-{job.name}", partial(job.container.stop, STOP_SECONDS))
        return {}

    def _check_quota(self, job: TransformJob) -> None:
        used = sum(
            other.instance_count
            for other in self._jobs.values()
            if other.is_running and other.instance_type == job.instance_type
        )
        self._quotas.check_instances(job.instance_type, _USE, used, job.instance_count)


def _check_support(params: Params) -> None:
    """Raise an error that names what the local AWS does not carry out."""
    given, processing = params["TransformInput"], params.get("DataProcessing", {})
    unknown = [name for name in _NOT_SUPPORTED if name in params]
    if "TransformAmiVersion" in params["TransformResources"]:
        unknown.append("TransformResources.TransformAmiVersion")
    if given.get("SplitType") == "RecordIO":
        unknown.append("SplitType RecordIO")
    if processing and given.get("ContentType") == "application/json":
        unknown.append("DataProcessing of application/json; use application/jsonlines")
    if unknown:
        raise AwsError("ValidationException", f"the local AWS does not support {', '.join(unknown)}")
    try:
        for name in ("InputFilter", "OutputFilter"):
            parsed(processing.get(name) or "$")
    except JsonPathError as error:
        raise AwsError("ValidationException", f"{name}: {error}") from error
