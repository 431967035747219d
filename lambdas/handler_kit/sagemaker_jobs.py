"""The SageMaker jobs of pipeline executions: how they are named, made, found and read.

An execution has one training or tuning job at a time, and one processing job. A name can be used once, for ever, so
that a second attempt of the same execution ends in ``-r2``, a third in ``-r3``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.console import log_link
from handler_kit.errors import ConfigurationError, StepError, error_code, error_message
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
        status: ``InProgress``, ``Completed``, ``Failed``, ``Stopping``, ``Stopped`` or another that AWS thinks of.
        secondary_status: What a training job is at, or why it stopped; empty for the other kinds.
        reason: Why it failed, in its program's and SageMaker's words; empty when they say nothing.
        has_result: Whether it is over, and what it made counts.
        description: The whole answer.
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
        """Whether it may still become something else."""
        return meaning_of(self.status) in {Meaning.RUNNING, Meaning.ENDING}

    @property
    def can_be_stopped(self) -> bool:
        """Whether it runs, and nobody has told it to stop."""
        return meaning_of(self.status) is Meaning.RUNNING


class Jobs(ABC):
    """The jobs of one kind that one pipeline has.

    Attributes:
        noun: What messages call such a job.
        work: What it does, for the message about a foreign job of the same name.
        quota: What SageMaker's quota for its instances is called after.
        longest_name: Characters that its name may have.
        log_group: Where its log is; empty when it has none of its own.
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
        """Make a job. Raises ClientError when SageMaker refuses."""

    @abstractmethod
    def read(self, name: str) -> FoundJob:
        """The job of a name. Raises ClientError when there is none."""

    @abstractmethod
    def stop(self, name: str) -> None:
        """Ask a job to end. Raises ClientError when SageMaker refuses, as it does when the job is over."""

    @abstractmethod
    def identity(self, description: dict[str, Any]) -> dict[str, Any]:
        """What makes a request or a described job this work and no other."""

    @abstractmethod
    def instances(self, request: dict[str, Any]) -> str:
        """The instances that a request asks for, in words."""

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
        """Every job of an execution, the first attempt first; one that somebody deleted hides no later one."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            found = self.find(self.name(execution_id, attempt))
            if found is not None:
                yield found

    def end(self, name: str) -> None:
        """Stop a job; that it ends by itself meanwhile is no mistake. Raises ClientError when SageMaker refuses."""
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
        """Why a job has no result, with the link to its log."""
        text = f"{self.noun} {job.name} ended as {job.status}: {job.reason or self._unexplained(job)}"
        if not self.log_group:
            return StepError(text, external_id=job.name)
        link = log_link(job.arn, self.log_group)
        return StepError(f"{text} Logs: {link}", external_id=link)

    def _unexplained(self, job: FoundJob) -> str:
        return "SageMaker gives no reason."


def _says_not_found(error: ClientError) -> bool:
    code = error_code(error)
    return code == "ResourceNotFound" or (code == "ValidationException" and "not found" in error_message(error).lower())
