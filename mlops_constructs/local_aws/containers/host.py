"""Runs container images: by a Docker engine, or as processes when there is none."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops_constructs.local_aws.containers.docker import DockerRuntime, engine_problem
from mlops_constructs.local_aws.containers.environments import environment_for
from mlops_constructs.local_aws.containers.images import ContainerError, Image, ImageStore
from mlops_constructs.local_aws.containers.running import Container

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws

__all__ = [
    "Container",
    "ContainerError",
    "ContainerHost",
    "ContainerRuntime",
    "DockerRuntime",
    "Image",
    "ProcessRuntime",
    "container_host",
]

Log = Callable[[str], None]

_FROM_THE_USER = ("HOME", "LANG", "LC_ALL", "SSL_CERT_FILE")


class ContainerRuntime(Protocol):
    """What runs an image's programs. `base` stands for `/opt/ml`."""

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Make an image; `arguments` are build arguments, NAME=value. Raises `ContainerError`."""

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
        """Start another program: `entrypoint`, or the image's own when that is empty, with `arguments`."""


class ProcessRuntime:
    """Runs the programs as child processes, in a virtual environment made from requirements.txt."""

    def __init__(self, aws: LocalAws, images: ImageStore) -> None:
        self._aws = aws
        self._images = images

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Store the context and make its virtual environment."""
        if arguments:
            log("no Docker engine: build arguments are not used")
        image = self._images.add(context)
        environment_for(image.context, self._aws.processes, log)
        return image

    def train(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Run `train` with SAGEMAKER_BASE_DIR for /opt/ml."""
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
        """Run a program of the image's folder, or one on PATH; paths in the container become paths here."""
        program, *rest = [_local_path(word, image, base) for word in (*entrypoint, *arguments)]
        if "/" not in program and (image.context / program).is_file():
            program = str(image.context / program)
        return self._start([program, *rest], image, base, environment, log)

    def _start(
        self, command: Sequence[str], image: Image, base: Path, environment: Mapping[str, str], log: Log
    ) -> Container:
        venv = environment_for(image.context, self._aws.processes, log)
        inherited = {name: os.environ[name] for name in _FROM_THE_USER if name in os.environ}
        # A program that is killed leaves its temporary files; there they go with the local AWS.
        scratch = self._aws.workdir / "tmp"
        scratch.mkdir(exist_ok=True)
        full = {
            **inherited,
            "TMPDIR": str(scratch),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # the stored context must keep matching its digest
            "AWS_REGION": self._aws.region,
            **environment,
            "SAGEMAKER_BASE_DIR": str(base),
            "VIRTUAL_ENV": str(venv),
            "PATH": os.pathsep.join([str(venv / "bin"), os.environ.get("PATH", os.defpath)]),
        }
        try:
            process = self._aws.processes.start(list(command), cwd=image.context, env=full)
        except OSError as error:
            raise ContainerError(f"{Path(command[0]).name} cannot be run: {error}") from error
        return Container(self._aws.processes, process, log)


def _local_path(word: str, image: Image, base: Path) -> str:
    """Where a path of the container lies on this machine: code in the image's folder, the rest in `base`."""
    lines = (image.context / "Dockerfile").read_text(encoding="utf-8", errors="replace").splitlines()
    folders = [line.split()[1].rstrip("/") for line in lines if line.startswith("WORKDIR /")]
    for folder in (*folders, "/opt/ml/code"):
        if folder and word.startswith(f"{folder}/"):
            return str(image.context / word.removeprefix(f"{folder}/"))
    return str(base / word.removeprefix("/opt/ml/")) if word.startswith("/opt/ml/") else word


@dataclass(frozen=True)
class ContainerHost:
    """Where the images of one local AWS are kept and run; `choice` says by what, and why."""

    images: ImageStore
    runtime: ContainerRuntime
    choice: str


_hosts: weakref.WeakKeyDictionary[LocalAws, ContainerHost] = weakref.WeakKeyDictionary()
_hosts_lock = threading.Lock()


def container_host(aws: LocalAws, *, docker: bool = True) -> ContainerHost:
    """The container host of a local AWS.

    The first call chooses and logs the choice: a Docker engine when one answers and `docker` allows it.
    """
    with _hosts_lock:
        host = _hosts.get(aws)
        if host is None:
            host = _hosts[aws] = _make_host(aws, engine_problem() if docker else "Docker is not to be used")
            aws.log(host.choice)
        return host


def _make_host(aws: LocalAws, problem: str | None) -> ContainerHost:
    images = ImageStore(aws.workdir / "images")
    if problem is None:
        return ContainerHost(images, DockerRuntime(aws, images), "a Docker engine answers: containers run in it")
    choice = f"{problem}: the container's programs run as processes in a virtual environment"
    return ContainerHost(images, ProcessRuntime(aws, images), choice)
