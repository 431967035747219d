"""Processing jobs, which evaluate a candidate."""

from __future__ import annotations

from typing import Any, ClassVar

from handler_kit.job_states import Meaning, meaning_of
from handler_kit.sagemaker_jobs import FoundJob, Jobs


class ProcessingJobs(Jobs):
    """The processing jobs of one pipeline. Only a job with the status ``Completed`` has a result."""

    noun: ClassVar[str] = "Processing job"
    work: ClassVar[str] = "evaluation"
    quota: ClassVar[str] = "processing"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    remedy: ClassVar[str] = "It is stopped now: lower max_runtime_in_seconds."

    def create(self, request: dict[str, Any]) -> None:
        """Create a processing job. Raises ClientError when SageMaker returns an error."""
        self.sagemaker.create_processing_job(**request)

    def read(self, name: str) -> FoundJob:
        """The job with this name. Raises ClientError when there is none."""
        job = self.sagemaker.describe_processing_job(ProcessingJobName=name)
        # The program's own message comes before SageMaker's explanation of its exit code.
        reasons = [text for text in (job.get("ExitMessage"), job.get("FailureReason")) if text]
        status = job["ProcessingJobStatus"]
        return FoundJob(
            name=job["ProcessingJobName"],
            arn=job["ProcessingJobArn"],
            status=status,
            secondary_status="",
            reason=" ".join(reasons),
            has_result=meaning_of(status) is Meaning.COMPLETE,
            description=job,
        )

    def stop(self, name: str) -> None:
        """Stop the job; its program gets SIGTERM and has 120 seconds to end."""
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
        if meaning_of(job.status) is Meaning.CUT_SHORT:
            return (
                "somebody stopped it, or it ran longer than max_runtime_in_seconds. Raise that, or retry the stage to"
                " start another."
            )
        return super()._unexplained(job)
