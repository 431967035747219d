"""Where builds find the AWS CLI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.local_aws.codebuild import aws_cli as module
from mlops_constructs.local_aws.codebuild.aws_cli import aws_cli
from mlops_constructs.local_aws.containers.environments import environment
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.processes import ChildProcesses

if TYPE_CHECKING:
    from collections.abc import Sequence


class Machine:
    """A machine without an AWS CLI. What pip is asked for is kept, and installed unless it is out of reach."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.installed, self.reachable = folder, list[str](), True

    def pip(self, command: Sequence[str], place: Path, *_: object) -> None:
        if not self.reachable:
            raise ContainerError("no network")
        self.installed.append(command[-1])
        (place / "bin" / "aws").touch()

    def aws(self) -> Path:
        return aws_cli(ChildProcesses(), lambda _: None).relative_to(self.folder)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(Path, "with_name", lambda path, name: path.parent / f"no-{name}")
    monkeypatch.setattr(module, "run", made.pip)
    # To put pip into an environment takes seconds.
    monkeypatch.setattr(module, "environment", lambda *given, with_pip: environment(*given, with_pip=not with_pip))
    return made


def test_the_one_on_path_is_used(machine: Machine) -> None:
    (machine.folder / "bin").mkdir()
    (machine.folder / "bin" / "aws").write_text("#!/bin/sh\n")
    (machine.folder / "bin" / "aws").chmod(0o755)
    assert machine.aws() == Path("bin/aws")
    assert machine.installed == []


def test_without_one_it_is_installed_once_beside_the_other_environments(machine: Machine) -> None:
    machine.reachable = False
    with pytest.raises(ContainerError, match="no network"):
        machine.aws()
    machine.reachable = True
    first = machine.aws()
    assert machine.aws() == first
    assert first.is_relative_to("cache/local-aws/environments")
    assert machine.installed == ["awscli>=1.42,<2"]
    assert (machine.folder / first).exists()
