"""SageMaker processing jobs, which really run on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.jobs import Jobs
from mlops_constructs.local_aws.sagemaker.processing_files import ROOT
from mlops_constructs.local_aws.sagemaker.processing_job import ProcessingJob
from mlops_constructs.local_aws.sagemaker.processing_run import ProcessingRun
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.sagemaker.tags import Tags


class ProcessingJobs(Jobs[ProcessingJob]):
    """The processing jobs of the account."""

    kind: ClassVar[str] = "Processing job"

    def __init__(self, account: Account, containers: ContainerHost, tags: Tags) -> None:
        super().__init__(account)
        self._containers = containers
        self._tags = tags

    def create_processing_job(self, params: Params) -> Params:
        """Run the program in the background. A name can never be used again."""
        name = params["ProcessingJobName"]
        _check_places(params)
        credentials = assume_as(self.account, "sagemaker.amazonaws.com", params["RoleArn"], "SageMaker")
        arn = self.account.arn("sagemaker", f"processing-job/{name}")
        job = ProcessingJob(self.account, params, arn, utc_now())
        with self.lock:
            self._keep(job)
        self._tags.tag(arn, params)
        run = ProcessingRun(self.account, self._containers, job, credentials)
        self.account.spawn(f"processing-{name}", run.run)
        return {"ProcessingJobArn": arn}

    def describe_processing_job(self, params: Params) -> Params:
        """The state of a job."""
        return self.find(params["ProcessingJobName"]).described()

    def list_processing_jobs(self, params: Params) -> Params:
        """Jobs, optionally filtered by name or status, by default the newest first."""
        return self._listed("ProcessingJobSummaries", params)

    def stop_processing_job(self, params: Params) -> Params:
        """Stop a running job."""
        self.find(params["ProcessingJobName"]).stop()
        return {}


def _check_places(params: Params) -> None:
    outputs = params.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for entry in (*params.get("ProcessingInputs", []), *outputs):
        place = entry.get("S3Input", entry.get("S3Output", {})).get("LocalPath", "")
        if not place.startswith(f"{ROOT}processing/"):
            message = f"the local AWS supports only S3 and a LocalPath in {ROOT}processing/, got {place!r}"
            raise AwsError("ValidationException", message)
