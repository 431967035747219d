"""Runs container images: in a Docker engine, or without one in sandboxes or as processes."""

from __future__ import annotations

import contextlib
import platform
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mlops_constructs.local_aws.containers.build import Build, Runner
from mlops_constructs.local_aws.containers.copying import Source
from mlops_constructs.local_aws.containers.docker import DockerRuntime, engine_problem
from mlops_constructs.local_aws.containers.dockerfile import Instruction, parse_dockerfile
from mlops_constructs.local_aws.containers.dockerignore import ignored
from mlops_constructs.local_aws.containers.environments import PythonEnvironment, environment, packages_key
from mlops_constructs.local_aws.containers.images import Image, ImageStore, check_programs
from mlops_constructs.local_aws.containers.plain import PlainLauncher
from mlops_constructs.local_aws.containers.proot import ProotLauncher, find_proot
from mlops_constructs.local_aws.containers.run_commands import Command, commands_of, script_of
from mlops_constructs.local_aws.containers.sandbox import sandbox_problem
from mlops_constructs.local_aws.containers.sandboxed import SandboxLauncher

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.containers.site import ContainerSite

Log = Callable[[str], None]

_REQUIREMENTS = "requirements.txt"


class ContainerRuntime(Protocol):
    """Runs an image's programs. `base` is the folder on this machine with the folders of `/opt/ml`."""

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Build an image; `arguments` are build arguments, NAME=value. Raises `ContainerError`."""

    def train(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start the image with the argument `train`."""

    def serve(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start the image with the argument `serve`; the container's `connection` leads to its port."""

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


class Launcher(Protocol):
    """Runs commands of builds, and programs of images, without a Docker engine."""

    def runner(self, environment: PythonEnvironment, log: Log) -> Runner:
        """Return what executes the commands of a build."""

    def start(
        self, image: Image, base: Path, words: Sequence[str], variables: Mapping[str, str], log: Log, *, serves: bool
    ) -> Container:
        """Start a program. Raises `ContainerError`."""


class ProcessRuntime:
    """Builds images from what their Dockerfiles say, and runs their programs, without a Docker engine."""

    def __init__(self, site: ContainerSite, images: ImageStore, launcher: Launcher, python: Path | None = None) -> None:
        """Prepare it; ``python`` is the folder of an environment that every image gets, in place of its own."""
        self._site = site
        self._images = images
        self._launcher = launcher
        self._python = python

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Execute the Dockerfile as far as this machine can; each line that it cannot execute is logged."""
        with self._images.add(context, arguments) as image:
            if not (image.folder / "config.json").exists():
                self._build(image, dict(one.partition("=")[::2] for one in arguments), log)
        return Image(image.digest, self._images.folder(image.digest))

    def train(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start the image with the argument `train`."""
        words = image.config.words(["train"])
        return self._launcher.start(image, base, words, environment, self._explaining(image, log), serves=False)

    def serve(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start the image with the argument `serve`."""
        words = image.config.words(["serve"])
        return self._launcher.start(image, base, words, environment, self._explaining(image, log), serves=True)

    def run(
        self,
        image: Image,
        base: Path,
        entrypoint: Sequence[str],
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Log,
    ) -> Container:
        """Start another program."""
        words = [*entrypoint, *arguments] if entrypoint else image.config.words(arguments)
        return self._launcher.start(image, base, words, environment, self._explaining(image, log), serves=False)

    def _build(self, image: Image, arguments: Mapping[str, str], log: Log) -> None:
        text = (image.context / "Dockerfile").read_text(encoding="utf-8", errors="replace")
        instructions = parse_dockerfile(text)
        commands = installations(instructions)
        replacement = _replacement(image.context, instructions, commands)
        own = [command.text for command in commands if not (command.is_locked and replacement)]
        key = packages_key(image.context, [*own, *([f"pip install -r {replacement}"] if replacement else [])])
        patterns = image.context / ".dockerignore"
        source = Source(image.context, ignored(patterns.read_text() if patterns.is_file() else ""))
        installs = bool(commands or replacement)
        with self._environment(key, log, with_pip=installs) as python:
            runner = self._launcher.runner(python, log)
            stages = image.folder / "stages"
            build = Build(source, stages, arguments, runner, log, python=python, replacement=replacement)
            config, tree = build.execute(instructions)
            if replacement is not None and not commands and python.is_new:
                log(f"the Dockerfile installs no Python packages: those of {replacement} are installed")
                build.install_file(replacement)
        tree.rename(image.tree)
        shutil.rmtree(stages)
        check_programs(image.tree, config)
        config.write(image.folder / "config.json")

    def _environment(
        self, key: str, log: Log, *, with_pip: bool
    ) -> contextlib.AbstractContextManager[PythonEnvironment]:
        if self._python is not None:
            return contextlib.nullcontext(PythonEnvironment(self._python, None))
        return environment(key, self._site.processes, log, with_pip=with_pip)

    def _explaining(self, image: Image, log: Log) -> Log:
        """Log also what the build could not do, where a program may fail for it."""
        omitted = image.config.omitted

        def told(line: str) -> None:
            log(line)
            if omitted and any(sign in line for sign in ("No such file", "not found", "No module named", "exec: ")):
                for one in omitted:
                    log(f"(not done in the local build: {one})")
                omitted.clear()

        return told


def installations(instructions: Sequence[Instruction]) -> list[Command]:
    """The commands of a Dockerfile that install Python packages."""
    scripts = [script_of(one) for one in instructions if one.keyword == "RUN"]
    return [command for script in scripts for command in commands_of(script) if command.is_pip]


def _replacement(context: Path, instructions: Sequence[Instruction], commands: Sequence[Command]) -> str | None:
    """The file of packages to install in place of those that this machine cannot install, or that nothing installs.

    Locked packages are those of the image's version of Python; and a base image may have packages of its own.
    """
    if not (context / _REQUIREMENTS).is_file():
        return None
    text = " ".join(one.original for one in instructions if one.keyword in ("ARG", "FROM"))
    version = re.search(r"python:(\d+\.\d+)", text)
    other = version is not None and version[1] != ".".join(platform.python_version_tuple()[:2])
    return _REQUIREMENTS if not commands or (other and any(one.is_locked for one in commands)) else None


class ContainerHost:
    """Stores and runs the images of the site: in a Docker engine if one responds, otherwise without.

    The first use of `runtime` or `choice` looks for an engine and logs the choice.
    """

    def __init__(self, site: ContainerSite, *, docker: bool = True, python: Path | None = None) -> None:
        """Prepare it.

        Args:
            site: Where containers run.
            docker: Whether a Docker engine may run them.
            python: Folder of a Python environment that every image gets, in place of its own; without Docker only.
        """
        self._site = site
        self._docker = docker
        self._python = python
        self._lock = threading.Lock()
        self._chosen: tuple[ContainerRuntime, str] | None = None

    @property
    def images(self) -> ImageStore:
        """The images built so far."""
        return ImageStore(self._site.workdir / "images")

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
                self._site.log(self._chosen[1])
            return self._chosen

    def _make(self, problem: str | None) -> tuple[ContainerRuntime, str]:
        if problem is None:
            return DockerRuntime(self._site, self.images), "a Docker engine responds: containers run in it"
        refusal = sandbox_problem()
        if refusal is None:
            launcher: Launcher = SandboxLauncher(self._site)
            how = "have their own /opt/ml and port 8080; the base image's files and system packages are not there"
        elif (proot := find_proot()) is not None:
            launcher = ProotLauncher(self._site, proot)
            how = f"have their own /opt/ml by proot, but no port 8080 (no namespaces: {refusal})"
        else:
            launcher = PlainLauncher(self._site)
            how = f"have no /opt/ml of their own, SAGEMAKER_BASE_DIR says where it is (no namespaces: {refusal})"
        choice = f"{problem}: the containers' programs run as processes, which {how}"
        return ProcessRuntime(self._site, self.images, launcher, self._python), choice
