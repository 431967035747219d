"""Runs container images: in a Docker engine, or as processes when there is no engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops_constructs.local_aws.containers.docker import DockerRuntime, engine_problem
from mlops_constructs.local_aws.containers.environments import environment_for
from mlops_constructs.local_aws.containers.images import ContainerError, Image, ImageStore
from mlops_constructs.local_aws.containers.running import Container

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

Log = Callable[[str], None]

_FROM_THE_USER = ("HOME", "LANG", "LC_ALL", "SSL_CERT_FILE")


class ContainerRuntime(Protocol):
    """Runs an image's programs. `base` is the folder on this machine that replaces `/opt/ml`."""

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Build an image; `arguments` are build arguments, NAME=value. Raises `ContainerError`."""

    def train(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start the image's `train`."""

    def serve(self, image: Image, base: Path, port: int, environment: Mapping[str, str], log: Log) -> Container:
        """Start the image's `serve`, listening on 127.0.0.1:`port`."""

    def run(
        self,
        image: Image,
        base: Path,
        entrypoint: Sequence[str],
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Log,
    ) -> Container:
        """Start another program: `entrypoint`, or the image's own entry point when it is empty, with `arguments`."""


class ProcessRuntime:
    """Runs the programs as child processes, in a virtual environment created from requirements.txt."""

    def __init__(self, account: Account, images: ImageStore) -> None:
        self._account = account
        self._images = images

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Store the context and create its virtual environment."""
        if arguments:
            log("no Docker engine: the build arguments are ignored")
        image = self._images.add(context)
        environment_for(image.context, self._account.processes, log)
        return image

    def train(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Run `train`; SAGEMAKER_BASE_DIR replaces /opt/ml."""
        return self._start([str(image.context / "train")], image, base, environment, log)

    def serve(self, image: Image, base: Path, port: int, environment: Mapping[str, str], log: Log) -> Container:
        """Run `serve` on a loopback port given by SAGEMAKER_BIND_TO_PORT."""
        binding = {"SAGEMAKER_BIND_TO_PORT": str(port), "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
        return self._start([str(image.context / "serve")], image, base, {**environment, **binding}, log)

    def run(
        self,
        image: Image,
        base: Path,
        entrypoint: Sequence[str],
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Log,
    ) -> Container:
        """Run a program in the image's folder or on PATH; paths in the container become paths on this machine."""
        program, *rest = [_local_path(word, image, base) for word in (*entrypoint, *arguments)]
        if "/" not in program and (image.context / program).is_file():
            program = str(image.context / program)
        return self._start([program, *rest], image, base, environment, log)

    def _start(
        self, command: Sequence[str], image: Image, base: Path, environment: Mapping[str, str], log: Log
    ) -> Container:
        venv = environment_for(image.context, self._account.processes, log)
        inherited = {name: os.environ[name] for name in _FROM_THE_USER if name in os.environ}
        # A killed program leaves temporary files behind; in this folder the local AWS removes them when it closes.
        scratch = self._account.workdir / "tmp"
        scratch.mkdir(exist_ok=True)
        full = {
            **inherited,
            "TMPDIR": str(scratch),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # the stored context must keep matching its digest
            "AWS_REGION": self._account.region,
            **environment,
            "SAGEMAKER_BASE_DIR": str(base),
            "VIRTUAL_ENV": str(venv),
            "PATH": os.pathsep.join([str(venv / "bin"), os.environ.get("PATH", os.defpath)]),
        }
        try:
            process = self._account.processes.start(list(command), cwd=image.context, env=full)
        except OSError as error:
            raise ContainerError(f"{Path(command[0]).name} cannot be run: {error}") from error
        return Container(self._account.processes, process, log)


def _local_path(word: str, image: Image, base: Path) -> str:
    """A path in the container as a path on this machine: code is in the image's folder, the rest in `base`."""
    lines = (image.context / "Dockerfile").read_text(encoding="utf-8", errors="replace").splitlines()
    folders = [line.split()[1].rstrip("/") for line in lines if line.startswith("WORKDIR /")]
    for folder in (*folders, "/opt/ml/code"):
        if folder and word.startswith(f"{folder}/"):
            return str(image.context / word.removeprefix(f"{folder}/"))
    return str(base / word.removeprefix("/opt/ml/")) if word.startswith("/opt/ml/") else word


class ContainerHost:
    """Stores and runs the images of the account: in a Docker engine if one responds, otherwise as processes.

    The first use of `runtime` or `choice` looks for an engine and logs the choice.
    """

    def __init__(self, account: Account, *, docker: bool = True) -> None:
        self._account = account
        self._docker = docker
        self._lock = threading.Lock()
        self._chosen: tuple[ContainerRuntime, str] | None = None

    @property
    def images(self) -> ImageStore:
        """The images built so far."""
        return ImageStore(self._account.workdir / "images")

    @property
    def runtime(self) -> ContainerRuntime:
        """The runtime that builds and runs the images."""
        return self._choose()[0]

    @property
    def choice(self) -> str:
        """A text that says what runs the containers, and why."""
        return self._choose()[1]

    def _choose(self) -> tuple[ContainerRuntime, str]:
        with self._lock:
            if self._chosen is None:
                self._chosen = self._make(engine_problem() if self._docker else "Docker is disabled")
                self._account.log(self._chosen[1])
            return self._chosen

    def _make(self, problem: str | None) -> tuple[ContainerRuntime, str]:
        if problem is None:
            runtime: ContainerRuntime = DockerRuntime(self._account, self.images)
            return runtime, "a Docker engine responds: containers run in it"
        choice = f"{problem}: the container's programs run as processes in a virtual environment"
        return ProcessRuntime(self._account, self.images), choice
