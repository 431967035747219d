"""Builds an image without a Docker engine: reads the Dockerfile, and does on this machine what can be done here."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mlops_constructs.local_aws.containers.config import ImageConfig
from mlops_constructs.local_aws.containers.copying import Source, copy, inside
from mlops_constructs.local_aws.containers.dockerfile import (
    Instruction,
    WordError,
    announced,
    arg_pairs,
    env_pairs,
    expand,
)
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.containers.run_commands import Command, commands_of, script_of, summary
from mlops_constructs.local_aws.containers.stage import SHELL, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.containers.environments import PythonEnvironment

Log = Callable[[str], None]

# They concern an engine, or what it does with a container that runs.
_WITHOUT_EFFECT = frozenset(("EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "STOPSIGNAL", "VOLUME"))


class Runner(Protocol):
    """Executes the commands of `RUN`."""

    def can(self, command: Command) -> bool:
        """Whether a command can be executed on this machine."""

    def run(
        self, commands: Sequence[Command], shell: Sequence[str], tree: Path, image: Mapping[str, str], directory: str
    ) -> int:
        """Execute commands until one fails, and return the last exit code; their output goes to the build's log."""


class Build:
    """One build."""

    def __init__(
        self,
        source: Source,
        trees: Path,
        arguments: Mapping[str, str],
        runner: Runner,
        log: Log,
        *,
        python: PythonEnvironment,
        replacement: str | None,
    ) -> None:
        """Prepare a build.

        Args:
            source: The build context.
            trees: An empty folder for the files of each stage.
            arguments: Build arguments.
            runner: Executes commands.
            log: Takes the lines of the build's log.
            python: The environment for the Python packages; they are installed if it is new.
            replacement: File whose packages replace those that are locked for another version of Python.
        """
        self._source, self._trees, self._given = source, trees, arguments
        self._runner, self._log = runner, log
        self._python, self._replacement = python, replacement
        self._stages: dict[str, Stage] = {}
        self._global: dict[str, str] = {}
        self._omitted: list[str] = []

    def execute(self, instructions: Sequence[Instruction]) -> tuple[ImageConfig, Path]:
        """Execute all instructions; return the configuration and the folder of the files of the last stage.

        Raises `ContainerError` that names the line.
        """
        stage: Stage | None = None
        for one in instructions:
            try:
                if one.keyword == "FROM":
                    stage = self._from(one)
                elif stage is None:
                    self._argument(one, self._global, self._global)
                else:
                    self._execute(one, stage)
            except (ContainerError, WordError) as error:
                raise ContainerError(
                    f"Dockerfile line {one.line}: {one.keyword} {summary(one.value)}: {error}"
                ) from error
        if stage is None:
            raise ContainerError("the Dockerfile has no FROM")
        stage.change(packages=str(self._python.folder), omitted=self._omitted)
        return stage.config, stage.tree

    def install_file(self, name: str) -> None:
        """Install the packages of a file of the build context."""
        (command,) = commands_of(f"pip install --requirement {name}")
        tree = self._trees / "requirements"
        copy(self._source, ["."], tree, "/", mode=None, unpack=False)
        if self._runner.run([command], SHELL, tree, ImageConfig().environment, "/") != 0:
            raise ContainerError(f"the packages of {name} cannot be installed; the lines above say why")

    def _omit(self, one: Instruction, text: str) -> None:
        line = f"Dockerfile line {one.line}: {text}"
        self._log(line)
        if not any(known.endswith(text) for known in self._omitted):
            self._omitted.append(line)

    def _from(self, one: Instruction) -> Stage:
        words = [expand(word, self._global, one.escape) for word in one.arguments]
        if not words[0]:
            raise ContainerError("the name of the base image is empty")
        base, name = words[0], words[2] if len(words) == 3 else str(len(self._stages))
        stage = Stage(self._trees / str(len(self._stages)))
        earlier = self._stages.get(base.lower())
        if earlier is not None:
            shutil.copytree(earlier.tree, stage.tree, symlinks=True)
            stage.config, stage.shell = earlier.config, earlier.shell
        else:
            stage.tree.mkdir(parents=True)
            if base != "scratch":
                here = f"this machine's system and Python {platform.python_version()} take its place"
                self._omit(one, f"the base image {base} is not used: {here}")
        self._stages[name.lower()] = self._stages[str(len(self._stages))] = stage
        return stage

    def _argument(self, one: Instruction, into: dict[str, str], defaults: Mapping[str, str]) -> None:
        for name, value in arg_pairs(one.value, one.escape):
            key = expand(name, defaults, one.escape)
            text = self._given.get(key, None if value is None else expand(value, defaults, one.escape))
            text = self._global.get(key) if text is None else text
            if text is not None:
                into[key] = text

    def _execute(self, one: Instruction, stage: Stage) -> None:
        if one.keyword == "ARG":
            self._argument(one, stage.arguments, stage.variables)
        elif one.keyword == "ENV":
            known = stage.variables
            pairs = [
                (expand(name, known, one.escape), expand(text, known, one.escape))
                for name, text in env_pairs(one.value, one.escape)
            ]
            stage.change(environment={**stage.config.environment, **dict(pairs)})
        elif one.keyword == "WORKDIR":
            stage.change(directory=stage.absolute(expand(one.value, stage.variables, one.escape)).rstrip("/") or "/")
            inside(stage.tree, stage.config.directory).mkdir(parents=True, exist_ok=True)
        elif one.keyword in ("COPY", "ADD"):
            self._copy(one, stage)
        elif one.keyword == "RUN":
            self._run(one, stage)
        else:
            self._configure(one, stage)

    def _configure(self, one: Instruction, stage: Stage) -> None:
        if one.keyword == "ENTRYPOINT":
            words, is_shell = stage.words(one)
            stage.change(entrypoint=words, is_shell=is_shell, command=[])
        elif one.keyword == "CMD":
            stage.change(command=stage.words(one)[0])
        elif one.keyword == "SHELL":
            stage.shell = one.words or SHELL
        elif one.keyword == "USER":
            self._omit(one, f"USER {one.value}: the programs run as the user of this machine")
        elif one.keyword not in _WITHOUT_EFFECT:
            raise ContainerError("this instruction is not supported without a Docker engine")

    def _copy(self, one: Instruction, stage: Stage) -> None:
        words = [expand(word, stage.variables, one.escape) for word in one.arguments]
        *patterns, target = words
        target, mode = stage.absolute(target), one.flags.get("chmod")
        source, origin = self._source, one.flags.get("from")
        if origin is not None:
            if origin.lower() not in self._stages:
                self._omit(one, f"the files of the image {origin} are not copied: it is not on this machine")
                return
            source = Source(self._stages[origin.lower()].tree)
        remote = [pattern for pattern in patterns if re.match(r"(?:https?|git)(?:@|://)", pattern)]
        if one.keyword == "ADD" and remote:
            self._omit(one, f"{', '.join(remote)} is not downloaded")
        local = [pattern for pattern in patterns if pattern not in remote and announced(pattern) is None]
        for heredoc in one.heredocs:
            stage.write(heredoc, target, alone=len(patterns) == 1)
        if local:
            bits = None if mode is None or not re.fullmatch(r"0?[0-7]{3,4}", mode) else int(mode, 8)
            copy(source, local, stage.tree, target, mode=bits, unpack=one.keyword == "ADD")

    def _run(self, one: Instruction, stage: Stage) -> None:
        possible = []
        for command in commands_of(script_of(one)):
            folder = command.virtual_environment
            if folder is not None:
                self._link(one, stage, stage.absolute(expand(folder, stage.variables)))
            elif command.is_locked and self._replacement is not None:
                self._replace(one, stage, self._replacement)
            elif not command.is_possible:
                self._omit(one, command.reason)
            elif command.is_pip and not self._python.is_new:
                self._log(f"Dockerfile line {one.line}: {command.summary}: kept from an earlier build")
            elif not self._runner.can(command):
                self._omit(one, f"{command.summary}: not executed, because this machine has no namespaces")
            else:
                possible.append(command)
        if possible:
            self._run_possible(one, stage, possible)

    def _link(self, one: Instruction, stage: Stage, folder: str) -> None:
        """The environment that is kept for the next build takes the place of a virtual environment in the image."""
        self._log(f"Dockerfile line {one.line}: {folder} is an environment that is kept for the next build")
        place = inside(stage.tree, folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(self._python.folder)

    def _replace(self, one: Instruction, stage: Stage, name: str) -> None:
        here = f"this machine has Python {platform.python_version()}"
        self._omit(one, f"the locked packages are for another version of Python, {here}: those of {name} replace them")
        if self._python.is_new:
            self.install_file(name)

    def _run_possible(self, one: Instruction, stage: Stage, commands: Sequence[Command]) -> None:
        script = " && ".join(command.text for command in commands)
        self._log(f"Dockerfile line {one.line}: {summary(script)}")
        code = self._runner.run(commands, stage.shell, stage.tree, stage.variables, stage.config.directory)
        if code != 0:
            raise ContainerError(f"ended with exit code {code}; the lines above say why")
