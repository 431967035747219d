"""The image without a Docker engine: its lines read, its entry point run as a process."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from conftest import Job, StartServer, Trained

PROGRAMS = ("train", "serve")


@pytest.fixture
def instructions(container: Path) -> dict[str, list[str]]:
    """The Dockerfile's instructions: name -> arguments, in order."""
    found: dict[str, list[str]] = {}
    for line in (container / "Dockerfile").read_text().replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            name, arguments = line.split(maxsplit=1)
            found.setdefault(name, []).append(arguments)
    return found


@pytest.fixture
def entrypoint(instructions: dict[str, list[str]]) -> list[str]:
    """The entry point; only the exec form is JSON."""
    (line,) = instructions["ENTRYPOINT"]
    return list(json.loads(line))


@pytest.fixture
def requirements(container: Path) -> list[Requirement]:
    lines = (container / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def environment(container: Path, **more: str) -> dict[str, str]:
    """The image's environment: its own programs and its Python first on PATH."""
    path = os.pathsep.join([str(container), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, **more}


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_is_executable_and_finds_python_on_path(container: Path, program: str) -> None:
    assert os.access(container / program, os.X_OK)
    assert (container / program).read_text().startswith("#!/usr/bin/env python3\n")


def test_command_is_in_exec_form_too(instructions: dict[str, list[str]]) -> None:
    assert [json.loads(line) for line in instructions["CMD"]] == [["serve"]]


def test_programs_are_on_path(instructions: dict[str, list[str]]) -> None:
    assert instructions["WORKDIR"] == ["/opt/program"]
    assert 'PATH="/opt/program:/opt/packages/bin:${PATH}"' in instructions["ENV"]
    assert "PYTHONUNBUFFERED=1" in instructions["ENV"]


def test_image_says_that_the_port_can_be_chosen(instructions: dict[str, list[str]]) -> None:
    assert "com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true" in instructions["LABEL"]


def test_everything_copied_exists_and_every_module_is_copied(
    container: Path, instructions: dict[str, list[str]]
) -> None:
    lines = [line for line in instructions["COPY"] if not line.startswith("--from=")]
    copied = {source for line in lines for source in line.split()[:-1]}
    assert all((container / source).exists() for source in copied)
    assert copied == {"requirements.lock", "algorithm.py", *PROGRAMS, "sagemaker_contract"}


def test_packages_come_from_the_stage_before(instructions: dict[str, list[str]]) -> None:
    assert "--from=packages /opt/packages /opt/packages" in instructions["COPY"]
    assert instructions["FROM"] == ["${BASE_IMAGE} AS packages", "${BASE_IMAGE}"]
    assert any("--require-hashes --only-binary :all:" in line for line in instructions["RUN"])


def test_base_image_is_an_argument_pinned_by_digest(instructions: dict[str, list[str]]) -> None:
    (argument,) = instructions["ARG"]
    # Not Docker Hub, which limits the pulls of CodeBuild's shared addresses.
    place = r"BASE_IMAGE=public\.ecr\.aws/docker/library/python"
    assert re.fullmatch(place + r":3\.12\.\d+-slim-\w+@sha256:[0-9a-f]{64}", argument)


def test_image_is_byte_compiled(instructions: dict[str, list[str]]) -> None:
    assert any("python -m compileall" in line for line in instructions["RUN"])
    # pip compiles what it installs, unless it is told not to.
    assert not any("--no-compile" in line for line in instructions["RUN"])
    assert not any("PYTHONDONTWRITEBYTECODE" in line for line in instructions["ENV"])


def test_image_can_hold_several_models(instructions: dict[str, list[str]]) -> None:
    assert "com.amazonaws.sagemaker.capabilities.multi-models=true" in instructions["LABEL"]


def test_lock_holds_what_is_required_with_hashes(container: Path, requirements: list[Requirement]) -> None:
    lock = (container / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([\w-]+)==(\S+) \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", lock, re.MULTILINE))
    image = {"python_version": "3.12", "python_full_version": "3.12.0", "sys_platform": "linux"}
    wanted = {
        requirement.name.lower(): str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(image)
    }
    assert locked == wanted
    assert lock.count("==") == len(wanted)


def test_entrypoint_becomes_train(container: Path, entrypoint: list[str], job: Job) -> None:
    started = subprocess.run(
        [*entrypoint, "train"],
        env=environment(container, SAGEMAKER_BASE_DIR=str(job.base)),
        capture_output=True,
    )
    assert started.returncode == 1
    assert job.failure == "the channel 'train' is missing; the job has none"


def test_entrypoint_becomes_serve_which_gets_the_signal(
    container: Path, entrypoint: list[str], tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "model").mkdir()
    os.mkfifo(tmp_path / "model" / "model.joblib")
    settings = {
        "SAGEMAKER_BASE_DIR": str(tmp_path),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(free_port),
    }
    with (
        subprocess.Popen([*entrypoint, "serve"], env=environment(container, **settings)) as process,
        # Opening waits for the reader: the program is loading the model then.
        (tmp_path / "model" / "model.joblib").open("wb"),
    ):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_process_1_of_a_container_ends_on_the_signal(
    container: Path, entrypoint: list[str], trained: Trained, free_port: int
) -> None:
    """A process 1 ignores every signal that it has not asked for."""
    isolated = ["unshare", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*isolated, "true"], capture_output=True).returncode:
        pytest.skip("needs the right to make a process namespace")
    settings = {
        "SAGEMAKER_BASE_DIR": str(trained.job.base),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(free_port),
    }
    with subprocess.Popen([*isolated, *entrypoint, "serve"], env=environment(container, **settings)) as process:
        try:
            wait_for_ping(free_port)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()


def wait_for_ping(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping"):
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_every_requirement_is_one_exact_version(requirements: list[Requirement]) -> None:
    assert all(re.fullmatch(r"==[\w.]+", str(requirement.specifier)) for requirement in requirements)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_each_python_gets_one_version_of_each(requirements: list[Requirement], python: str) -> None:
    names = [
        requirement.name
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python})
    ]
    assert {"scikit-learn", "numpy", "uvicorn"} <= set(names)
    assert len(names) == len(set(names))


def test_what_the_requirements_need_is_pinned_too(requirements: list[Requirement]) -> None:
    pinned = {canonicalize_name(requirement.name) for requirement in requirements}
    here = [requirement for requirement in requirements if not requirement.marker or requirement.marker.evaluate()]
    needed = {
        canonicalize_name(need.name)
        for requirement in here
        for need in map(Requirement, importlib.metadata.requires(requirement.name) or [])
        if need.marker is None or need.marker.evaluate({"extra": ""})
    }
    assert needed <= pinned


def test_readme_lists_every_environment_variable(container: Path) -> None:
    code = "".join(file.read_text() for file in (container / "sagemaker_contract").rglob("*.py"))
    table = re.findall(r"^\| `((?:SAGEMAKER|SERVE)_\w+)` \|", (container / "README.md").read_text(), re.MULTILINE)
    assert set(table) == set(re.findall(r'"((?:SAGEMAKER|SERVE)_\w+)"', code))


def test_default_is_every_address(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base, SAGEMAKER_BIND_TO_HOST="")
    server.wait_until_ready()
    listening = Path(f"/proc/{server.process.pid}/net/tcp")
    if not listening.exists():
        pytest.skip("reads the listening address from /proc")
    assert f" 00000000:{server.port:04X} " in listening.read_text()
