"""`terraform apply` and `destroy` are ended at any moment: what docs/recovery.md says brings them to their end.

`make soak-apply` does it at many moments; MLOPS_APPLY_KILLS and MLOPS_APPLY_SEED say how often and where.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from rehearsal.centroids import write_centroids
from rehearsal.deployed_site import synthesized

from mlops_constructs.doctor import Finding
from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.preflight import SynthesizedStack, TerraformState
from mlops_constructs.preflight.adoption import Existing, existing, import_document
from mlops_constructs.preflight.stack import Identity
from mlops_constructs.rehearsal.leftovers import leftovers
from mlops_constructs.rehearsal.terraform import Terraform, terraform_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.terraform
SEED = int(os.environ.get("MLOPS_APPLY_SEED", "149"))
# None in `make test`: a case takes minutes.
CASES = int(os.environ.get("MLOPS_APPLY_KILLS", "0"))
# How many resources the smallest app has.
RESOURCES = 150


class Deployment:
    """A stack in the local AWS, and Terraform, whose commands can be ended at any moment."""

    def __init__(self, aws: LocalAws, stack: Path) -> None:
        self.aws, self.stack = aws, stack
        self.old_keys: list[str] = []
        self._number, self._left = signal.SIGKILL, 0
        environment = terraform_environment(aws.url, aws.region, aws.workdir)
        self.terraform = Terraform(
            aws.workdir / ".terraform-stack", environment, aws.account.processes, on_event=self._on_event
        )
        self.terraform.prepare(stack)
        self.terraform.init()

    def ended(self, command: Callable[[], None], number: signal.Signals, after: int) -> None:
        """Run a command, and send it a signal when it has made or deleted some resources, if it gets so far."""
        self._number, self._left = number, after
        said = "it had ended"
        try:
            command()
        except RehearsalError as error:
            said = str(error).splitlines()[-1]
        self._left = 0
        print(f"  {number.name} after {after} resources: {said}")

    def _on_event(self, event: dict[str, Any]) -> None:
        if event["type"] == "apply_complete" and self._left:
            self._left -= 1
            child = self.terraform._child
            assert child is not None
            if not self._left:
                os.killpg(child.pid, self._number)

    @property
    def adopted(self) -> Path:
        return self.terraform.folder / "adopt.tf.json"

    def adopt(self) -> int:
        """What `mlops adopt --output` does, and what it says is done; gives the number of imports."""
        found = self._existing()
        for finding in (one for one in found if isinstance(one, Finding)):
            print(f"  {finding.detail}. {finding.remedy}")
            if match := re.search("terraform state rm ([^`]+)", finding.remedy):
                assert self.terraform._plain("state", "rm", match[1])[0] == 0
                return self.adopt()
            match = re.fullmatch("Delete it then: aws kms schedule-key-deletion --key-id (.+)", finding.remedy)
            assert match, finding
            self.old_keys.append(match[1])
        blocks = [one for one in found if isinstance(one, Existing)]
        self.adopted.write_text(import_document(blocks))
        return len(blocks)

    def _existing(self) -> list[Existing | Finding]:
        stack, file = SynthesizedStack(self.stack), self.terraform.folder / "terraform.tfstate"
        session = boto3.session.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=self.aws.region)
        state = TerraformState(stack, file if file.is_file() else None)
        identity = Identity(self.aws.account_id, "aws", self.aws.region)
        return list(existing(lambda name: session.client(name, endpoint_url=self.aws.url), stack, identity, state))

    def destroy(self) -> None:
        """Destroy, as docs/recovery.md says where the function of the guard is gone and the state does not know it."""
        said = ""
        try:
            self.terraform.destroy()
        except RehearsalError as error:
            said = str(error)
        if said:
            (guarding,) = [one for one in self.resources() if one.startswith("aws_lambda_invocation.plain_guard")]
            assert f"{guarding}: " in said
            assert "ResourceNotFoundException" in said
            print(f"  state rm {guarding}")
            code, output = self.terraform._plain("state", "rm", guarding)
            assert code == 0, output
            self.terraform.destroy()

    def resources(self) -> list[str]:
        return self.terraform.resources()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest app; with removal="destroy", which needs no teardown before."""
    folder = tmp_path_factory.mktemp("app")
    container = write_centroids(folder / "container")
    return synthesized(Path(__file__).with_name("plain_app.py"), folder / "out", str(container))


@pytest.fixture
def deployment(stack: Path) -> Iterator[Deployment]:
    with LocalAws(docker=False) as aws:
        made = Deployment(aws, stack)
        yield made
        made.terraform.close()


def cases() -> list[tuple[signal.Signals, int, int, bool]]:
    draw = random.Random(SEED)
    return [
        (
            signal.SIGINT if number % 3 == 1 else signal.SIGKILL,
            draw.randint(1, RESOURCES),
            draw.randint(1, RESOURCES),
            number % 2 == 0,
        )
        for number in range(CASES)
    ]


@pytest.mark.parametrize(("number", "applied", "destroyed", "again"), cases())
def test_an_apply_and_a_destroy_that_are_ended_anywhere_come_to_their_end(
    deployment: Deployment, number: signal.Signals, applied: int, destroyed: int, again: bool
) -> None:
    terraform = deployment.terraform
    print()
    deployment.ended(terraform.apply, number, applied)
    if again:
        # What most people do first; it makes another key, and fails at the first name that is in use.
        with contextlib.suppress(RehearsalError):
            terraform.apply()
    print(f"  {len(deployment.resources())} resources in the state, {deployment.adopt()} imported")
    terraform.apply()
    deployment.adopted.unlink()
    for key in deployment.old_keys:
        deployment.aws.client("kms").schedule_key_deletion(KeyId=key)
    assert terraform.drift() == []

    deployment.ended(terraform.destroy, number, destroyed)
    deployment.destroy()
    assert leftovers(deployment.aws.client) == []
