"""Runs an image's programs as plain processes: the way on a machine with neither a Docker engine nor namespaces."""

from __future__ import annotations

import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError, Image
from mlops_constructs.local_aws.containers.layers import remove
from mlops_constructs.local_aws.containers.running import Container, loopback
from mlops_constructs.local_aws.ports import ReservedPort

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.environments import PythonEnvironment
    from mlops_constructs.local_aws.containers.run_commands import Command
    from mlops_constructs.local_aws.containers.site import ContainerSite
    from mlops_constructs.local_aws.processes import ChildProcesses

Log = Callable[[str], None]

_ML = "/opt/ml/"
_FROM_THE_USER = ("HOME", "LANG", "LC_ALL", "SSL_CERT_FILE")


class ProcessLauncher(ABC):
    """Starts programs as processes of this machine; a server gets a free port in `SAGEMAKER_BIND_TO_PORT`."""

    def __init__(self, site: ContainerSite) -> None:
        self._site = site

    def runner(self, environment: PythonEnvironment, log: Log) -> PlainRunner:
        """Return what installs Python packages; another command could write to this machine's own files."""
        return PlainRunner(self._site.processes, environment, log)

    def start(
        self, image: Image, base: Path, words: Sequence[str], variables: Mapping[str, str], log: Log, *, serves: bool
    ) -> Container:
        """Start a program."""
        with contextlib.ExitStack() as stack:
            scratch = Path(tempfile.mkdtemp(dir=self._site.workdir))
            stack.callback(remove, scratch)
            full = {
                **{name: os.environ[name] for name in _FROM_THE_USER if name in os.environ},
                "AWS_REGION": self._site.region,
                "PYTHONUNBUFFERED": "1",
                **self.variables(image, base, scratch, variables),
                "VIRTUAL_ENV": image.config.packages,
            }
            connect = None
            if serves:
                port = ReservedPort()
                stack.callback(port.release)
                connect = loopback(port.number)
                full |= {"SAGEMAKER_BIND_TO_PORT": str(port.number), "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
            try:
                command, directory = self.command(image, base, scratch, words)
                process = self._site.processes.start(command, cwd=directory, env=full)
            except OSError as error:
                raise ContainerError(f"{words[0]} cannot be run: {error}") from error
            return Container(self._site.processes, process, log, connect=connect, resources=stack.pop_all())

    @abstractmethod
    def variables(self, image: Image, base: Path, scratch: Path, given: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of a program; `given` are those of its job or endpoint."""

    @abstractmethod
    def command(self, image: Image, base: Path, scratch: Path, words: Sequence[str]) -> tuple[list[str], Path]:
        """The words that are executed for those of the image, and the folder to execute them in."""


class PlainLauncher(ProcessLauncher):
    """Runs them as processes.

    Paths of the image become paths of the folder with its files. `SAGEMAKER_BASE_DIR` says where /opt/ml is.
    """

    def variables(self, image: Image, base: Path, scratch: Path, given: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of a program, with the paths of this machine."""
        config = image.config
        return {
            **{name: local_path(value, image.tree, base) for name, value in config.environment.items()},
            "PYTHONDONTWRITEBYTECODE": "1",  # the image's files must stay as they are
            "TMPDIR": str(scratch),
            **given,
            "SAGEMAKER_BASE_DIR": str(base),
            "SM_STUDIO_LOCAL_MODE": "true",  # sagemaker-training does not wait until algo-1 resolves
            "PATH": os.pathsep.join([*_path(image), os.environ.get("PATH", os.defpath)]),
        }

    def command(self, image: Image, base: Path, scratch: Path, words: Sequence[str]) -> tuple[list[str], Path]:
        """The program and its words, with the paths of this machine."""
        program = _program(words[0], image, base, _path(image))
        command = [program, *(local_path(word, image.tree, base) for word in words[1:])]
        return command, image.tree / image.config.directory.lstrip("/")


class PlainRunner:
    """Executes the commands of a build: `pip install`, in the environment of the image's packages."""

    def __init__(self, processes: ChildProcesses, environment: PythonEnvironment, log: Log) -> None:
        self._processes, self._environment, self._log = processes, environment, log

    def can(self, command: Command) -> bool:
        """Whether a command can be executed: in a shell it would change this machine's own files."""
        return command.is_pip and "install" in command.words[:4]

    def run(
        self, commands: Sequence[Command], shell: Sequence[str], tree: Path, image: Mapping[str, str], directory: str
    ) -> int:
        """Execute commands one after the other until one fails."""
        del shell
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        variables |= {name: value for name, value in image.items() if name != "PATH"}
        for command in commands:
            given = command.words[command.words.index("install") :]
            words = [str(self._environment.place / "bin" / "python"), "-m", "pip"]
            words += [local_path(word, tree, tree / _ML.strip("/")) for word in given]
            process = self._processes.start(words, cwd=tree / directory.lstrip("/"), env=variables)
            code = Container(self._processes, process, self._log).finish()
            if code != 0:
                return code
        return 0


def local_path(word: str, tree: Path, base: Path) -> str:
    """A path of the image as a path on this machine, where the image has it; any other word as it is."""
    if not word.startswith("/"):
        return word
    if word.startswith(_ML) and not (tree / word.lstrip("/")).exists():
        return str(base / word.removeprefix(_ML))
    place = tree / word.lstrip("/")
    return str(place) if place.exists() and place != tree else word


def _path(image: Image) -> list[str]:
    """The folders of the image's packages, and of its PATH that it has."""
    found = [image.tree / one.lstrip("/") for one in image.config.environment["PATH"].split(os.pathsep)]
    return [f"{image.config.packages}/bin", *(str(folder) for folder in found if folder.is_dir())]


def _program(word: str, image: Image, base: Path, path: Sequence[str]) -> str:
    if "/" in word:
        return local_path(word, image.tree, base)
    return next((str(Path(folder, word)) for folder in path if Path(folder, word).is_file()), word)
