"""Training jobs, and the tuning jobs that start them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from handler_kit.errors import ConfigurationError
from handler_kit.job_states import Meaning, meaning_of
from handler_kit.sagemaker_jobs import FoundJob, Jobs

# The channel with the source of a script, and the folder that it is read from.
CODE_CHANNEL = "code"
_SOURCES = re.compile(r"/sources/([0-9a-f]{64})/$")


class TrainingJobs(Jobs):
    """The training jobs of one pipeline.

    A training job that its tuning job ended early, because it would not become the best or had all its epochs, has a
    result like a completed job: its model. A job that a person or a time limit ended has none.
    """

    noun: ClassVar[str] = "Training job"
    work: ClassVar[str] = "training"
    quota: ClassVar[str] = "training"
    log_group: ClassVar[str] = "/aws/sagemaker/TrainingJobs"
    remedy: ClassVar[str] = (
        "It is stopped now: lower max_runtime_in_seconds, or raise it above 23 h, so that an event reports the end of"
        " the job."
    )

    def create(self, request: dict[str, Any]) -> None:
        """Create a training job. Raises ClientError when SageMaker returns an error."""
        self.sagemaker.create_training_job(**request)

    def read(self, name: str) -> FoundJob:
        """The job with this name. Raises ClientError when there is none."""
        return read_training_job(self.sagemaker, name)

    def stop(self, name: str) -> None:
        """Stop the job; its program gets SIGTERM and has 120 seconds to end."""
        self.sagemaker.stop_training_job(TrainingJobName=name)

    def identity(self, description: dict[str, Any]) -> dict[str, Any]:
        """Image, role and input of the training."""
        inputs = description.get("InputDataConfig", [])
        return {
            "image": description["AlgorithmSpecification"].get("TrainingImage"),
            "role": description["RoleArn"],
            "input": sorted((one["ChannelName"], one["DataSource"]["S3DataSource"]["S3Uri"]) for one in inputs),
        }

    def instances(self, request: dict[str, Any]) -> str:
        """Number and type of the instances."""
        resources = request["ResourceConfig"]
        return f"{resources['InstanceCount']} x {resources['InstanceType']}"

    def _unexplained(self, job: FoundJob) -> str:
        if job.secondary_status == "MaxRuntimeExceeded":
            return f"it ran longer than allowed ({job.secondary_status}); raise max_runtime_in_seconds."
        if job.secondary_status == "MaxWaitTimeExceeded":
            return (
                f"it waited and ran longer than allowed ({job.secondary_status}); raise spot.max_wait_time_in_seconds."
            )
        return super()._unexplained(job)


class TuningJobs(TrainingJobs):
    """The hyperparameter tuning jobs of one pipeline.

    The result of a tuning job is its best training job. A tuning job that its own time limit ended has a result too,
    the best training job until then; a tuning job that a person stopped has none.
    """

    noun: ClassVar[str] = "Tuning job"
    longest_name: ClassVar[int] = 32
    log_group: ClassVar[str] = ""

    def create(self, request: dict[str, Any]) -> None:
        """Create a tuning job. Raises ClientError when SageMaker returns an error."""
        self.sagemaker.create_hyper_parameter_tuning_job(**request)

    def read(self, name: str) -> FoundJob:
        """The job with this name. Raises ClientError when there is none."""
        job = self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return FoundJob(
            name=job["HyperParameterTuningJobName"],
            arn=job["HyperParameterTuningJobArn"],
            status=job["HyperParameterTuningJobStatus"],
            secondary_status="",
            reason=job.get("FailureReason", ""),
            has_result=searched(job) and bool(job.get("BestTrainingJob")),
            description=job,
        )

    def stop(self, name: str) -> None:
        """Stop the job and all its training jobs."""
        self.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def identity(self, description: dict[str, Any]) -> dict[str, Any]:
        """Image, role and input of its training jobs."""
        return super().identity(description["TrainingJobDefinition"])

    def instances(self, request: dict[str, Any]) -> str:
        """Number and types of the instances of one of its training jobs."""
        definition = request["TrainingJobDefinition"]
        if "ResourceConfig" in definition:
            return super().instances(definition)
        configs = definition["HyperParameterTuningResourceConfig"]["InstanceConfigs"]
        return f"{configs[0]['InstanceCount']} x {' or '.join(one['InstanceType'] for one in configs)}"

    def environment(self, description: dict[str, Any]) -> dict[str, str]:
        """The environment variables of its training jobs."""
        return super().environment(description["TrainingJobDefinition"])


def jobs_of(kind: str, sagemaker: Any, prefix: str) -> TrainingJobs:
    """The jobs of a pipeline whose setting JOB_KIND is ``training`` or ``tuning``."""
    kinds = {"training": TrainingJobs, "tuning": TuningJobs}
    if kind not in kinds:
        raise ConfigurationError(f"JOB_KIND {kind!r}: must be 'training' or 'tuning'")
    return kinds[kind](sagemaker, prefix)


def read_training_job(sagemaker: Any, name: str) -> FoundJob:
    """The training job with this name, of any pipeline or tuning job. Raises ClientError when there is none."""
    job = sagemaker.describe_training_job(TrainingJobName=name)
    return FoundJob(
        name=job["TrainingJobName"],
        arn=job["TrainingJobArn"],
        status=job["TrainingJobStatus"],
        secondary_status=job.get("SecondaryStatus", ""),
        reason=job.get("FailureReason", ""),
        has_result=_left_its_model(job),
        description=job,
    )


def _left_its_model(job: dict[str, Any]) -> bool:
    meaning = meaning_of(job["TrainingJobStatus"])
    ended_as_planned = meaning is Meaning.COMPLETE or (meaning is Meaning.CUT_SHORT and "TuningJobArn" in job)
    return ended_as_planned and "S3ModelArtifacts" in job.get("ModelArtifacts", {})


def searched(job: dict[str, Any]) -> bool:
    """Whether a described tuning job ended as planned: it ran all its training jobs, or reached its time limit."""
    meaning = meaning_of(job["HyperParameterTuningJobStatus"])
    return meaning is Meaning.COMPLETE or (meaning is Meaning.CUT_SHORT and _ran_out_of_time(job))


def _ran_out_of_time(job: dict[str, Any]) -> bool:
    limit = job["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxRuntimeInSeconds")
    ended = job.get("HyperParameterTuningEndTime")
    if limit is None or ended is None:
        return False
    return bool((ended - job["CreationTime"]).total_seconds() >= limit)


def source_of(job: dict[str, Any]) -> str | None:
    """The digest of the script that a training job ran; ``None`` without a script."""
    for channel in job.get("InputDataConfig", []):
        found = _SOURCES.search(channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", ""))
        if channel["ChannelName"] == CODE_CHANNEL and found is not None:
            return found[1]
    return None
