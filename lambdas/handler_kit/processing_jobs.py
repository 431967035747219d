"""Processing jobs, which evaluate a candidate."""

from __future__ import annotations

from typing import Any, ClassVar

from handler_kit.job_states import Meaning, meaning_of
from handler_kit.sagemaker_jobs import FoundJob, Jobs


class ProcessingJobs(Jobs):
    """The processing jobs of one pipeline. Only one that completed has a result."""

    noun: ClassVar[str] = "Processing job"
    work: ClassVar[str] = "evaluation"
    quota: ClassVar[str] = "processing"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    remedy: ClassVar[str] = "The job may go on and cost money: stop it, or lower max_runtime_in_seconds."

    def create(self, request: dict[str, Any]) -> None:
        """Make a processing job. Raises ClientError when SageMaker refuses."""
        self.sagemaker.create_processing_job(**request)

    def read(self, name: str) -> FoundJob:
        """The job of a name. Raises ClientError when there is none."""
        job = self.sagemaker.describe_processing_job(ProcessingJobName=name)
        # What the program says of itself comes before what SageMaker makes of its exit code.
        told = [text for text in (job.get("ExitMessage"), job.get("FailureReason")) if text]
        status = job["ProcessingJobStatus"]
        return FoundJob(
            name=job["ProcessingJobName"],
            arn=job["ProcessingJobArn"],
            status=status,
            secondary_status="",
            reason=" ".join(told),
            has_result=meaning_of(status) is Meaning.COMPLETE,
            description=job,
        )

    def stop(self, name: str) -> None:
        """Ask the job to end; its program gets SIGTERM and 120 seconds."""
        self.sagemaker.stop_processing_job(ProcessingJobName=name)

    def identity(self, description: dict[str, Any]) -> dict[str, Any]:
        """Image, role and input of the program."""
        inputs = description.get("ProcessingInputs", [])
        return {
            "image": description["AppSpecification"]["ImageUri"],
            "role": description["RoleArn"],
            "input": sorted((one["InputName"], one["S3Input"]["S3Uri"]) for one in inputs),
        }

    def instances(self, request: dict[str, Any]) -> str:
        """Number and type of the instances."""
        cluster = request["ProcessingResources"]["ClusterConfig"]
        return f"{cluster['InstanceCount']} x {cluster['InstanceType']}"

    def _unexplained(self, job: FoundJob) -> str:
        return "SageMaker gives no reason; it may have run longer than max_runtime_in_seconds."
