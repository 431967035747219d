"""Runs an image's programs with proot: they have `/opt/ml`, and a host name that resolves, without namespaces.

https://proot-me.github.io. It follows every system call, which costs programs time, and gives them no port of their
own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError, Image
from mlops_constructs.local_aws.containers.layers import remove
from mlops_constructs.local_aws.containers.plain import PlainRunner
from mlops_constructs.local_aws.containers.running import Container, loopback
from mlops_constructs.local_aws.ports import ReservedPort

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.environments import PythonEnvironment
    from mlops_constructs.local_aws.containers.site import ContainerSite

Log = Callable[[str], None]

_HOST = "algo-1"
_FROM_THE_USER = ("HOME", "LANG", "LC_ALL", "SSL_CERT_FILE")


def find_proot() -> str | None:
    """The path of proot on this machine, if it is installed."""
    return shutil.which("proot")


class ProotLauncher:
    """Runs them below proot."""

    def __init__(self, site: ContainerSite, program: str) -> None:
        """Prepare it; `program` is the path of proot."""
        self._site, self._program = site, program

    def runner(self, environment: PythonEnvironment, log: Log) -> PlainRunner:
        """Return what installs Python packages: another command could write to this machine's own files."""
        return PlainRunner(self._site.processes, environment, log)

    def start(
        self, image: Image, base: Path, words: Sequence[str], variables: Mapping[str, str], log: Log, *, serves: bool
    ) -> Container:
        """Start a program; a server gets a free port in `SAGEMAKER_BIND_TO_PORT`."""
        config, packages = image.config, Path(image.config.packages)
        own = [str(packages / "bin"), *config.environment["PATH"].split(os.pathsep)]
        with contextlib.ExitStack() as stack:
            scratch = Path(tempfile.mkdtemp(dir=self._site.workdir))
            stack.callback(remove, scratch)
            full = {
                **{name: os.environ[name] for name in _FROM_THE_USER if name in os.environ},
                "AWS_REGION": self._site.region,
                **config.environment,
                "PYTHONUNBUFFERED": "1",
                **variables,
                "VIRTUAL_ENV": str(packages),
                "PATH": os.pathsep.join([*own, os.environ.get("PATH", os.defpath)]),
            }
            connect = None
            if serves:
                port = ReservedPort()
                stack.callback(port.release)
                connect = loopback(port.number)
                full |= {"SAGEMAKER_BIND_TO_PORT": str(port.number), "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
            binds = [f"--bind={source}:{target}" for source, target in self._binds(image, base, scratch)]
            command = [self._program, *binds, f"--cwd={config.directory}", *words]
            try:
                process = self._site.processes.start(command, cwd=scratch, env=full)
            except OSError as error:
                raise ContainerError(f"{words[0]} cannot be run: {error}") from error
            return Container(self._site.processes, process, log, connect=connect, resources=stack.pop_all())

    def _binds(self, image: Image, base: Path, scratch: Path) -> Iterator[tuple[Path, str]]:
        """Folders and files with their paths for the program; the image's own are copies, which it may change."""
        tree = Path(shutil.copytree(image.tree, scratch / "tree", symlinks=True))
        hosts = scratch / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {_HOST}\n", encoding="utf-8")
        yield hosts, "/etc/hosts"
        yield base, "/opt/ml"
        yield from _outermost(tree, Path("/"))


def _outermost(folder: Path, place: Path) -> Iterator[tuple[Path, str]]:
    """What an image has and this machine has not, as whole folders; of folders that both have, what is in them."""
    for entry in sorted(folder.iterdir()):
        target = place / entry.name
        if entry.is_dir() and not entry.is_symlink() and (target.is_dir() or str(target) in ("/opt", "/opt/ml")):
            yield from _outermost(entry, target)
        else:
            yield entry, str(target)
