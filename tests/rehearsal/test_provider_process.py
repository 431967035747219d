"""The provider that Terraform's commands share."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import wait_for

from mlops_constructs.local_aws.processes import ChildProcesses
from mlops_constructs.rehearsal.provider_process import start_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = {"provider": {"aws": [{"region": "us-east-1"}]}}
TOLD = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": 1, "Test": True, "Addr": {"Network": "unix", "String": "s"}}
SAID = f"\tTF_REATTACH_PROVIDERS='{json.dumps({'registry.terraform.io/hashicorp/aws': TOLD})}'"
# Says what the AWS provider says when it is started with -debug; ends as it does.
GOOD = f"""#!{sys.executable}
import pathlib, os, signal, sys
def end(*_):
    pathlib.Path("ended").touch()
    sys.exit()
signal.signal(signal.SIGINT, end)
assert sys.argv[1:] == ["-debug"]
pathlib.Path("pid").write_text(str(os.getpid()))
print("Provider started. To attach Terraform CLI, set the TF_REATTACH_PROVIDERS environment variable with:\\n")
print({SAID!r}, flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def processes() -> Iterator[ChildProcesses]:
    processes = ChildProcesses()
    yield processes
    processes.close()


def installed(folder: Path, document: dict[str, Any], program: str = GOOD) -> Path:
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    provider = folder / ".terraform/providers/registry.opentofu.org/hashicorp/aws/5.100.0/linux_amd64"
    provider.mkdir(parents=True)
    (provider / "terraform-provider-aws_v5.100.0").write_text(program)
    (provider / "terraform-provider-aws_v5.100.0").chmod(0o755)
    return folder


def test_terraform_connects_to_it_by_the_source_it_was_installed_from(
    tmp_path: Path, processes: ChildProcesses
) -> None:
    provider = start_provider(installed(tmp_path, ONE), os.environ, processes)
    assert provider is not None
    (name, value), *more = provider.environment.items()
    assert (name, json.loads(value), more) == (
        "TF_REATTACH_PROVIDERS",
        {"registry.opentofu.org/hashicorp/aws": TOLD},
        [],
    )
    provider.close()


def test_closing_ends_it_by_an_interrupt(tmp_path: Path, processes: ChildProcesses) -> None:
    provider = start_provider(installed(tmp_path, ONE), os.environ, processes)
    assert provider is not None
    provider.close()
    assert (tmp_path / "ended").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_it_ends_with_the_pipe_that_its_rehearsal_held(tmp_path: Path, processes: ChildProcesses) -> None:
    provider = start_provider(installed(tmp_path, ONE), os.environ, processes)
    assert provider is not None
    (held,) = [child.stdin for child in processes._running]
    assert held is not None
    held.close()
    assert wait_for((tmp_path / "ended").exists)
    provider.close()


@pytest.mark.parametrize(
    ("document", "program"),
    [
        ({"provider": {"aws": [{"region": "us-east-1"}, {"region": "eu-west-1", "alias": "eu"}]}}, GOOD),
        ({}, GOOD),
        (ONE, "#!/bin/sh\necho flag provided but not defined\nexit 2\n"),
    ],
    ids=["two configurations", "no configuration", "a provider that cannot serve"],
)
def test_terraform_starts_its_providers_itself(
    tmp_path: Path, processes: ChildProcesses, document: dict[str, Any], program: str
) -> None:
    assert start_provider(installed(tmp_path, document, program), os.environ, processes) is None
