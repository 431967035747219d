"""Runs an image's programs in sandboxes: the way without a Docker engine on Linux."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.environments import PythonEnvironment
from mlops_constructs.local_aws.containers.layers import merge, merge_entry, python_layer, remove
from mlops_constructs.local_aws.containers.running import SERVING_PORT, Container
from mlops_constructs.local_aws.containers.sandbox import Sandbox
from mlops_constructs.local_aws.user_cache import user_cache

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.images import Image
    from mlops_constructs.local_aws.containers.run_commands import Command
    from mlops_constructs.local_aws.containers.site import ContainerSite

Log = Callable[[str], None]

_ML = "/opt/ml"
_FROM_THE_USER = ("LANG", "LC_ALL", "SSL_CERT_FILE")
# Where builds find pip's cache, so that an installation downloads nothing twice.
_PIP_CACHE = "/opt/local-aws/pip"


class SandboxLauncher:
    """Runs commands of builds, and programs of images, in sandboxes."""

    def __init__(self, site: ContainerSite) -> None:
        self._site = site
        self.processes = site.processes

    def runner(self, environment: PythonEnvironment, log: Log) -> SandboxRunner:
        """Return what executes commands, and keeps the files that they write."""
        return SandboxRunner(self, environment, log)

    def start(
        self, image: Image, base: Path, words: Sequence[str], variables: Mapping[str, str], log: Log, *, serves: bool
    ) -> Container:
        """Start a program, with the folders in `base` below /opt/ml.

        A server has a network of its own, in which it listens on port 8080.
        """
        config = image.config
        environment = PythonEnvironment(Path(config.packages), None)
        binds = {entry: f"{_ML}/{entry.name}" for entry in sorted(base.iterdir()) if entry.name[0] != "."}
        with contextlib.ExitStack() as stack:
            sandbox = self.sandbox(stack, image.tree, environment, binds, own_network=serves)
            full = {**self.variables(environment, config.environment), **variables}
            process, door = sandbox.start(words, full, config.directory, self.processes)
            stack.callback(door.close)
            connect = (lambda: door.connect(SERVING_PORT)) if serves else None
            return Container(self.processes, process, log, connect=connect, resources=stack.pop_all())

    def variables(self, environment: PythonEnvironment, image: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of every program."""
        own = image["PATH"].split(os.pathsep)
        # Programs such as java are elsewhere on this machine than in the image.
        more = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder not in own]
        return {
            "HOME": str(Path.home()),
            "AWS_REGION": self._site.region,
            **{name: os.environ[name] for name in _FROM_THE_USER if name in os.environ},
            **image,
            "PYTHONUNBUFFERED": "1",
            "VIRTUAL_ENV": str(environment.folder),
            "PATH": os.pathsep.join([f"{environment.folder}/bin", *own, *more]),
        }

    def sandbox(
        self,
        stack: contextlib.ExitStack,
        tree: Path,
        environment: PythonEnvironment,
        binds: Mapping[Path, str],
        *,
        own_network: bool = False,
    ) -> Sandbox:
        """Make a sandbox with an image's files; its folder is removed with the stack."""
        folder = self._site.workdir / "sandboxes"
        folder.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder))
        stack.callback(remove, scratch)
        trees = [tree]
        if environment.is_own:
            trees.append(python_layer(scratch.with_name(f"{scratch.name}-python"), environment.folder))
            stack.callback(remove, trees[-1])
        return Sandbox(
            scratch=scratch,
            trees=trees,
            binds={**environment.binds, **binds},
            covered=environment.covered,
            own_network=own_network,
        )


class SandboxRunner:
    """Executes the commands of a build."""

    def __init__(self, launcher: SandboxLauncher, environment: PythonEnvironment, log: Log) -> None:
        self._launcher, self._environment, self._log = launcher, environment, log

    def can(self, command: Command) -> bool:
        """Whether a command can be executed."""
        return command.is_possible

    def run(
        self, commands: Sequence[Command], shell: Sequence[str], tree: Path, image: Mapping[str, str], directory: str
    ) -> int:
        """Execute commands one after the other until one fails; what they write becomes part of the image."""
        cache = user_cache() / "pip"
        cache.mkdir(parents=True, exist_ok=True)
        script = " && ".join(command.text for command in commands)
        with contextlib.ExitStack() as stack:
            sandbox = self._launcher.sandbox(stack, tree, self._environment, {cache: _PIP_CACHE})
            variables = {**self._launcher.variables(self._environment, image), "PIP_CACHE_DIR": _PIP_CACHE}
            process, door = sandbox.start([*shell, script], variables, directory, self._launcher.processes)
            stack.callback(door.close)
            code = Container(self._launcher.processes, process, self._log).finish()
            if code == 0:
                root, machine = sandbox.scratch / "root", {entry.name for entry in Path("/").iterdir()}
                # Files of the image at the top, and all that is new there, are in no layer.
                at_top = [
                    one
                    for one in root.iterdir()
                    if one.name not in machine and (one.is_file() or not (tree / one.name).exists())
                ]
                merge(sandbox.scratch / "upper", tree)
                for entry in at_top:
                    merge_entry(entry, tree / entry.name)
                remove(tree / _PIP_CACHE.lstrip("/"))
        return code
