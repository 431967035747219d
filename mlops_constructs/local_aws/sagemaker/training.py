"""The operations on SageMaker training jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.capacity import Capacity
from mlops_constructs.local_aws.sagemaker.jobs import Jobs
from mlops_constructs.local_aws.sagemaker.training_job import TrainingJob
from mlops_constructs.local_aws.sagemaker.training_run import TrainingRun
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.sagemaker.tags import Tags
    from mlops_constructs.local_aws.service_quotas import ServiceQuotasService


class TrainingJobs(Jobs[TrainingJob]):
    """The training jobs of the account."""

    kind: ClassVar[str] = "Training job"
    not_found: ClassVar[str] = "Requested resource not found."

    def __init__(self, account: Account, containers: ContainerHost, tags: Tags, quotas: ServiceQuotasService) -> None:
        super().__init__(account)
        self.capacity = Capacity()
        self._containers = containers
        self._tags = tags
        self._quotas = quotas

    def create_training_job(self, params: Params) -> Params:
        """Run the image's `train` in the background. A name can be used once, until the job is deleted."""
        return {"TrainingJobArn": self.launch(params).arn}

    def describe_training_job(self, params: Params) -> Params:
        """The state of a training job."""
        return self.find(params["TrainingJobName"]).described()

    def list_training_jobs(self, params: Params) -> Params:
        """Jobs, optionally filtered by name or status, by default the newest first."""
        return self._listed("TrainingJobSummaries", params)

    def stop_training_job(self, params: Params) -> Params:
        """Stop a running job."""
        self.find(params["TrainingJobName"]).stop()
        return {}

    def delete_training_job(self, params: Params) -> Params:
        """Delete a job that has ended; its name can be used again."""
        job = self.find(params["TrainingJobName"])
        if job.status in ("InProgress", "Stopping"):
            raise AwsError("ValidationException", f"The training job {job.name} is {job.status}: it cannot be deleted.")
        with self.lock:
            self._jobs.pop(job.name, None)
        self._tags.forget(job.arn)
        return {}

    def interrupt(self, name: str) -> None:
        """Interrupt a spot job while it trains; it starts again from its last checkpoint."""
        self.find(name).interruption.set()

    def launch(self, params: Params, tuning_job_arn: str | None = None) -> TrainingJob:
        """Start a training job, alone or for a tuning job."""
        name = params["TrainingJobName"]
        if not params.get("AlgorithmSpecification", {}).get("TrainingImage"):
            raise AwsError("ValidationException", "the local AWS requires AlgorithmSpecification.TrainingImage")
        credentials = assume_as(self.account, "sagemaker.amazonaws.com", params["RoleArn"], "SageMaker")
        arn = self.account.arn("sagemaker", f"training-job/{name}")
        job = TrainingJob(self.account, params, arn, utc_now())
        if tuning_job_arn is not None:
            job.result["TuningJobArn"] = tuning_job_arn
        with self.lock:
            self._check_quota(job)
            self._keep(job)
        self._tags.tag(arn, params)
        run = TrainingRun(self.account, self._containers, self.capacity, job, credentials)
        self.account.spawn(f"training-{name}", run.run)
        return job

    def _check_quota(self, job: TrainingJob) -> None:
        used = sum(
            other.instance_count
            for other in self._jobs.values()
            if other.status in ("InProgress", "Stopping")
            and (other.instance_type, other.quota_use) == (job.instance_type, job.quota_use)
        )
        self._quotas.check_instances(job.instance_type, job.quota_use, used, job.instance_count)
