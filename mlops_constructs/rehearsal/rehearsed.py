"""A deployed pipeline for tests: release, reject, roll back, and read what came of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_constructs.deployed.endpoints import endpoint_of
from mlops_constructs.deployed.releases import Releases
from mlops_constructs.rehearsal.follow import Follower
from mlops_constructs.rehearsal.rehearse import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.deployed.executions import Execution
    from mlops_constructs.deployed.pipeline import DeployedPipeline
    from mlops_constructs.local_aws.local_aws import LocalAws
    from mlops_constructs.rehearsal.data import RehearsalData
    from mlops_constructs.rehearsal.progress import Update

_START_SECONDS = 60.0


class _Approver:
    """Watches in silence, and answers as told."""

    def __init__(self) -> None:
        self.approve = True
        self.evidence: list[str] = []

    def update(self, update: Update) -> None:
        """Show nothing."""

    def log(self, line: str) -> None:
        """Show nothing."""

    def decide(self, evidence: str) -> bool:
        """Answer, and keep what was asked."""
        self.evidence.append(evidence)
        return self.approve


class RehearsedPipeline:
    """A pipeline that is deployed to the local AWS.

    Attributes:
        aws: The local AWS.
        deployed: The client of the pipeline, as the ``mlops`` commands use it.
        evidence: What the approver has read, one text for each time that an approval was asked for.
    """

    def __init__(self, rehearsal: Rehearsal, data: RehearsalData, approver: _Approver) -> None:
        """Deploy the stack of a rehearsal that has started, and build its image."""
        self.aws: LocalAws = rehearsal.aws
        self._rehearsal = rehearsal
        self._data, self._approver = data, approver
        self.evidence = approver.evidence
        self.deployed: DeployedPipeline = rehearsal.deploy()
        rehearsal.build_image()

    @property
    def name(self) -> str:
        """Name of the pipeline."""
        return self.deployed.name

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local AWS, of the account's administrator."""
        return self.aws.client(service)

    def release(self, data: RehearsalData | None = None, *, approve: bool = True) -> Execution:
        """Upload a data set, and follow the execution that it starts to its end.

        Args:
            data: Another data set than that of the settings.
            approve: What the approver answers.

        Returns:
            The execution, which has succeeded or failed: ``status`` and ``reason`` say so.
        """
        follower = self._follower()
        self._approver.approve = approve
        self.settle()
        known = follower.executions.ids()
        (data or self._data).upload_to(self.deployed)
        return follower.follow(follower.wait_for_start(known, _START_SECONDS))

    def deploy_again(self) -> None:
        """Apply the stack again, which creates what somebody has deleted by hand of what Terraform makes."""
        terraform = self._rehearsal.terraform
        assert terraform is not None, "it is deployed when this object is made"
        terraform.apply()

    def settle(self) -> None:
        """Wait until no execution is in progress."""
        follower = self._follower()
        deadline = time.monotonic() + _START_SECONDS
        while any(one["status"] in ("InProgress", "Stopping") for one in follower.executions.newest()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"an execution of {self.name} is still in progress after {_START_SECONDS:g} s")
            time.sleep(0.1)

    def releases(self) -> list[dict[str, Any]]:
        """Return the record of every release, newest first."""
        return Releases(self.deployed).all()

    def production_endpoint(self) -> str:
        """Return the name of the endpoint in production."""
        return endpoint_of(self.deployed, self.deployed.stacks[-1])

    def _follower(self) -> Follower:
        return Follower(self.aws.client, self.name, self._approver, time.sleep)


@contextmanager
def rehearsed_pipeline(stack: Path, data: RehearsalData, **options: Any) -> Iterator[RehearsedPipeline]:
    """Deploy a synthesized stack; ``options`` are those of ``Rehearsal``."""
    approver = _Approver()
    with Rehearsal(stack, data, approver, **options) as rehearsal:
        yield RehearsedPipeline(rehearsal, data, approver)
