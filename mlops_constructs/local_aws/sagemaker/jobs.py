"""What all kinds of jobs of SageMaker have in common: they are found by their names, and end with the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from mlops_constructs.local_aws.sagemaker.pages import page_of
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.running import Container


class Listed(Protocol):
    """What can be listed."""

    created: datetime
    status: str

    @property
    def name(self) -> str:
        """Its name."""

    def summary(self) -> Params:
        """The job in a list."""


class Job(Listed, Protocol):
    """One job."""

    arn: str
    container: Container | None


J = TypeVar("J", bound=Job)


def listed(member: str, jobs: Iterable[Listed], params: Params) -> Params:
    """Return a page of jobs, optionally filtered by name or status, by default the newest first."""
    ordered = sorted(jobs, key=lambda job: job.created)
    if params.get("SortOrder") != "Ascending":
        ordered.reverse()
    found = [
        job.summary()
        for job in ordered
        if params.get("NameContains", "") in job.name and params.get("StatusEquals", job.status) == job.status
    ]
    return page_of(member, found, params)


class Jobs(Service, Generic[J]):
    """The jobs of one kind.

    Attributes:
        kind: The kind, as SageMaker's messages name it.
        not_found: SageMaker's message about a name that no job has; ``{name}`` is the name.
    """

    service_name: ClassVar[str] = "sagemaker"
    kind: ClassVar[str]
    not_found: ClassVar[str] = "Could not find requested job with name: {name}"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._jobs: dict[str, J] = {}

    def find(self, name: str) -> J:
        """The job with this name. Raises SageMaker's ValidationException when there is none."""
        with self.lock:
            job = self._jobs.get(name)
        if job is None:
            raise AwsError("ValidationException", self.not_found.format(name=name))
        return job

    def close(self) -> None:
        """Stop all running jobs."""
        with self.lock:
            running = [job.container for job in self._jobs.values() if job.container is not None]
        for container in running:
            container.stop(0)

    def _keep(self, job: J) -> None:
        """Keep a job; the caller holds the lock. Raises ResourceInUse when its name was used before."""
        if job.name in self._jobs:
            message = f"{self.kind} names must be unique within an AWS account: {job.arn} exists."
            raise AwsError("ResourceInUse", message)
        self._jobs[job.name] = job

    def _listed(self, member: str, params: Params) -> Params:
        with self.lock:
            return listed(member, self._jobs.values(), params)
