"""The SageMaker jobs of pipeline executions: how they are named, found, read and stopped.

Every execution has one job at a time, a training job or a tuning job. A name can be used once, for ever, so that a
second attempt of the same execution ends in ``-r2``, a third in ``-r3``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from handler_kit.errors import ConfigurationError, error_code, error_message
from handler_kit.job_names import attempt_of, job_name

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_ATTEMPTS = 9

_RUNNING = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class FoundJob:
    """A job as SageMaker describes it.

    Attributes:
        name: Its name.
        arn: Its ARN.
        status: ``InProgress``, ``Completed``, ``Failed``, ``Stopping``, ``Stopped`` or another that AWS thinks of.
        secondary_status: What it is at, or why it stopped; empty for a tuning job.
        reason: Why it failed, in SageMaker's words; empty when it did not.
        description: The whole answer.
    """

    name: str
    arn: str
    status: str
    secondary_status: str
    reason: str
    description: dict[str, Any]

    @property
    def is_running(self) -> bool:
        """Whether it may still become something else."""
        return self.status in _RUNNING


class TrainingJobs:
    """The training jobs of one pipeline."""

    noun: ClassVar[str] = "Training job"
    longest_name: ClassVar[int] = 63

    def __init__(self, sagemaker: Any, prefix: str) -> None:
        self.sagemaker = sagemaker
        self.prefix = prefix

    def name(self, execution_id: str, attempt: int = 1) -> str:
        """The name of an execution's job: always the same, so that a redelivered event finds it."""
        name = job_name(self.prefix, execution_id, attempt)
        if len(name) > self.longest_name:
            raise ConfigurationError(
                f"JOB_PREFIX {self.prefix!r}: {name!r} is not the name of a {self.noun.lower()} (letters, digits,"
                f" '-', at most {self.longest_name})"
            )
        return name

    def attempt_of(self, name: str, execution_id: str) -> int | None:
        """Which attempt of the execution a name is; ``None`` when it belongs to another execution."""
        return attempt_of(name, self.name(execution_id))

    def find(self, name: str) -> FoundJob | None:
        """The job of a name, or ``None``."""
        try:
            return self.read(name)
        except ClientError as error:
            if _says_not_found(error):
                return None
            raise

    def of_execution(self, execution_id: str) -> Iterator[FoundJob]:
        """Every job of an execution, the first attempt first."""
        for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
            found = self.find(self.name(execution_id, attempt))
            if found is None:
                return
            yield found

    def read(self, name: str) -> FoundJob:
        """The job of a name. Raises ClientError when there is none."""
        job = self.sagemaker.describe_training_job(TrainingJobName=name)
        return FoundJob(
            name=job["TrainingJobName"],
            arn=job["TrainingJobArn"],
            status=job["TrainingJobStatus"],
            secondary_status=job.get("SecondaryStatus", ""),
            reason=job.get("FailureReason", ""),
            description=job,
        )

    def stop(self, name: str) -> None:
        """Ask the job to end; its program gets SIGTERM and 120 seconds."""
        self.sagemaker.stop_training_job(TrainingJobName=name)


class TuningJobs(TrainingJobs):
    """The hyperparameter tuning jobs of one pipeline."""

    noun: ClassVar[str] = "Tuning job"
    longest_name: ClassVar[int] = 32

    def read(self, name: str) -> FoundJob:
        """The job of a name. Raises ClientError when there is none."""
        job = self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return FoundJob(
            name=job["HyperParameterTuningJobName"],
            arn=job["HyperParameterTuningJobArn"],
            status=job["HyperParameterTuningJobStatus"],
            secondary_status="",
            reason=job.get("FailureReason", ""),
            description=job,
        )

    def stop(self, name: str) -> None:
        """Ask the job and all its training jobs to end."""
        self.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def jobs_of(kind: str, sagemaker: Any, prefix: str) -> TrainingJobs:
    """The jobs of a pipeline whose setting JOB_KIND is ``training`` or ``tuning``."""
    kinds = {"training": TrainingJobs, "tuning": TuningJobs}
    if kind not in kinds:
        raise ConfigurationError(f"JOB_KIND {kind!r}: must be 'training' or 'tuning'")
    return kinds[kind](sagemaker, prefix)


def _says_not_found(error: ClientError) -> bool:
    code = error_code(error)
    return code == "ResourceNotFound" or (code == "ValidationException" and "not found" in error_message(error).lower())
