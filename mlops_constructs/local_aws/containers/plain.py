"""Runs an image's programs as plain processes: the way on a machine with neither a Docker engine nor namespaces."""

from __future__ import annotations

import contextlib
import os
import tempfile
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


class PlainLauncher:
    """Runs them as processes.

    Paths of the image become paths of the folder with its files. `SAGEMAKER_BASE_DIR` says where /opt/ml is.
    """

    def __init__(self, site: ContainerSite) -> None:
        self._site = site

    def runner(self, environment: PythonEnvironment, log: Log) -> PlainRunner:
        """Return what installs Python packages; it executes no other command."""
        return PlainRunner(self._site.processes, environment, log)

    def start(
        self, image: Image, base: Path, words: Sequence[str], variables: Mapping[str, str], log: Log, *, serves: bool
    ) -> Container:
        """Start a program; a server gets a free port in `SAGEMAKER_BIND_TO_PORT`."""
        config, packages = image.config, Path(image.config.packages)
        path = [str(packages / "bin"), *_folders(image, config.environment["PATH"])]
        with contextlib.ExitStack() as stack:
            scratch = Path(tempfile.mkdtemp(dir=self._site.workdir))
            stack.callback(remove, scratch)
            full = {
                **{name: os.environ[name] for name in _FROM_THE_USER if name in os.environ},
                "AWS_REGION": self._site.region,
                **{name: local_path(value, image.tree, base) for name, value in config.environment.items()},
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",  # the image's files must stay as they are
                "TMPDIR": str(scratch),
                **variables,
                "SAGEMAKER_BASE_DIR": str(base),
                "SM_STUDIO_LOCAL_MODE": "true",  # sagemaker-training does not wait until algo-1 resolves
                "VIRTUAL_ENV": str(packages),
                "PATH": os.pathsep.join([*path, os.environ.get("PATH", os.defpath)]),
            }
            connect = None
            if serves:
                port = ReservedPort()
                stack.callback(port.release)
                connect = loopback(port.number)
                full |= {"SAGEMAKER_BIND_TO_PORT": str(port.number), "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
            command = [
                _program(words[0], image, base, path),
                *(local_path(word, image.tree, base) for word in words[1:]),
            ]
            try:
                directory = image.tree / config.directory.lstrip("/")
                process = self._site.processes.start(command, cwd=directory, env=full)
            except OSError as error:
                raise ContainerError(f"{words[0]} cannot be run: {error}") from error
            return Container(self._site.processes, process, log, connect=connect, resources=stack.pop_all())


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


def _folders(image: Image, path: str) -> list[str]:
    """The folders of the image's PATH that it has."""
    return [
        str(image.tree / one.lstrip("/")) for one in path.split(os.pathsep) if (image.tree / one.lstrip("/")).is_dir()
    ]


def _program(word: str, image: Image, base: Path, path: Sequence[str]) -> str:
    if "/" in word:
        return local_path(word, image.tree, base)
    return next((str(Path(folder, word)) for folder in path if Path(folder, word).is_file()), word)
