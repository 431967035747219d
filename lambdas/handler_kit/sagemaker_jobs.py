"""The SageMaker jobs of pipeline executions: how they are named, created, found and described.

An execution has one training or tuning job at a time, and one processing job. A job name can never be used again, so
the name of an execution's second attempt ends in ``-r2``, that of the third in ``-r3``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.console import log_link
from handler_kit.errors import ConfigurationError, StepError, error_code, is_missing
from handler_kit.job_names import attempt_of, job_name
from handler_kit.job_states import Meaning, meaning_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ATTEMPTS = 9


@dataclass(frozen=True)
class FoundJob:
    """A job as SageMaker describes it.

    Attributes:
        name: Its name.
        arn: Its ARN.
        status: ``InProgress``, ``Completed``, ``Failed``, ``Stopping``, ``Stopped``, or a status that AWS adds later.
        secondary_status: Progress of a training job, or why it stopped; empty for the other kinds.
        reason: Why it failed, as reported by its program and by SageMaker; empty when they give no reason.
        has_result: Whether it is over and has a result that counts.
        description: The whole response.
    """

    name: str
    arn: str
    status: str
    secondary_status: str
    reason: str
    has_result: bool
    description: dict[str, Any]

    @property
    def is_running(self) -> bool:
        """Whether its status may still change."""
        return meaning_of(self.status) in {Meaning.RUNNING, Meaning.ENDING}

    @property
    def can_be_stopped(self) -> bool:
        """Whether it is running, and nobody has requested that it stops."""
        return meaning_of(self.status) is Meaning.RUNNING


class Jobs(ABC):
    """The jobs of one kind that belong to one pipeline.

    Attributes:
        noun: The name of this kind of job in messages.
        work: What such a job does, for the message about another job with the same name.
        quota: The use that is in the name of SageMaker's quota for its instances.
        longest_name: Maximum number of characters of its name.
        log_group: Log group of its logs; empty when it has no logs of its own.
        remedy: What a person can do when it takes too long.
    """

    noun: ClassVar[str]
    work: ClassVar[str]
    quota: ClassVar[str]
    longest_name: ClassVar[int] = 63
    log_group: ClassVar[str] = ""
    remedy: ClassVar[str]

    def __init__(self, sagemaker: Any, prefix: str) -> None:
        self.sagemaker = sagemaker
        self.prefix = prefix

    @abstractmethod
    def create(self, request: dict[str, Any]) -> None:
        """Create a job. Raises ClientError when SageMaker returns an error."""

    @abstractmethod
    def read(self, name: str) -> FoundJob:
        """The job with this name. Raises ClientError when there is none."""

    @abstractmethod
    def stop(self, name: str) -> None:
        """Stop a job. Raises ClientError when SageMaker returns an error, for instance because the job is over."""

    @abstractmethod
    def identity(self, description: dict[str, Any]) -> dict[str, Any]:
        """What must be equal in a request and a described job for them to be the same work."""

    @abstractmethod
    def instances(self, request: dict[str, Any]) -> str:
        """Number and type of the instances in a request, as text for people."""

    def environment(self, description: dict[str, Any]) -> dict[str, str]:
        """The environment variables of the job's program."""
        variables: dict[str, str] = description.get("Environment", {})
        return variables

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
        """The number of the execution's attempt with this name; ``None`` when it belongs to another execution."""
        return attempt_of(name, self.name(execution_id))

    def find(self, name: str) -> FoundJob | None:
        """The job with this name, or ``None`` when it does not exist."""
        try:
            return self.read(name)
        except ClientError as error:
            if is_missing(error):
                return None
            raise

    def of_execution(self, execution_id: str) -> Iterator[FoundJob]:
        """Every job of an execution, the first attempt first; a deleted job does not hide later ones."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            found = self.find(self.name(execution_id, attempt))
            if found is not None:
                yield found

    def end(self, name: str) -> None:
        """Stop a job; a job that has ended meanwhile is no error. Raises ClientError when SageMaker returns another."""
        try:
            self.stop(name)
        except ClientError as error:
            found = self.find(name) if error_code(error) == "ValidationException" else None
            if error_code(error) != "ValidationException" or (found is not None and found.can_be_stopped):
                raise
            logs.info("job ended by itself", job=name)
            return
        logs.info("job stopped", job=name)

    def failure(self, job: FoundJob) -> StepError:
        """The error that says why a job has no result, with the link to its logs."""
        text = f"{self.noun} {job.name} ended as {job.status}: {job.reason or self._unexplained(job)}"
        if not self.log_group:
            return StepError(text, external_id=job.name)
        link = log_link(job.arn, self.log_group)
        return StepError(f"{text} Logs: {link}", external_id=link)

    def _unexplained(self, job: FoundJob) -> str:
        if meaning_of(job.status) is Meaning.CUT_SHORT:
            return "somebody stopped it; CloudTrail shows who. Retry the stage to start another."
        return "SageMaker gives no reason. Retry the stage to start another."
