"""Which runtime containers get, and that it is said."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.local_aws.containers.host import DockerRuntime, ProcessRuntime
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docker program whose engine answers."""
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho 27.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("docker", "runtime", "choice"),
    [
        (True, DockerRuntime, "a Docker engine responds: containers run in it"),
        (
            False,
            ProcessRuntime,
            "Docker is disabled: the containers' programs run as processes, which have their own /opt/ml and port 8080;"
            " the base image's files and system packages are not there",
        ),
    ],
)
def test_an_engine_is_used_unless_it_is_forbidden(docker: bool, runtime: type, choice: str) -> None:
    lines: list[str] = []
    with LocalAws(docker=docker) as aws:
        aws.add_listener(lines.append)
        assert isinstance(aws.containers.runtime, runtime)
        assert aws.containers.runtime is aws.containers.runtime
    assert lines == [choice]


def test_without_namespaces_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_constructs.local_aws.containers.host.sandbox_problem", lambda: "uid_map: not permitted")
    monkeypatch.setattr("mlops_constructs.local_aws.containers.host.find_proot", lambda: None)
    with LocalAws(docker=False) as aws:
        assert aws.containers.choice == (
            "Docker is disabled: the containers' programs run as processes, which have no /opt/ml of their own,"
            " SAGEMAKER_BASE_DIR says where it is (no namespaces: uid_map: not permitted)"
        )
