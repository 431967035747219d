"""Runs the commands of a buildspec's phases; the shell's state is kept from one phase to the next."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.running import Container
from mlops_constructs.local_aws.hooks import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlops_constructs.local_aws.account import Account

_POLL_SECONDS = 0.1
_MARK = "[Container] Running command "


class PhaseError(Exception):
    """A phase failed. The text is the reason; for a command it names the command and ends with its last lines."""


class BuildStoppedError(Exception):
    """The build was stopped, or reached its timeout."""


class BuildShell:
    """A bash shell that keeps its variables, functions and current directory from phase to phase."""

    def __init__(
        self,
        account: Account,
        build: str,
        directory: Path,
        source: Path,
        environment: Mapping[str, str],
        log: Callable[[str], None],
    ) -> None:
        self._processes = account.processes
        self._account, self._build = account, build
        self._directory = directory
        self._environment = environment
        self._log = log
        self._state = directory / "state"
        self._state.write_text("", encoding="utf-8")
        self._cwd = directory / "cwd"
        self._cwd.write_text(str(source), encoding="utf-8")

    def run(self, commands: Sequence[str], *, succeeding: bool, stopped: Callable[[], bool]) -> None:
        """Run commands until one fails. Raises `PhaseError`, or `BuildStoppedError` once `stopped()` is true."""
        lines: list[str] = []
        lock = threading.Lock()

        def keep(line: str) -> None:
            with lock:
                lines.append(line)
            self._log(line)

        script = self._script(commands, succeeding)
        process = self._processes.start(
            [_bash(), script], cwd=self._directory, env=self._environment, stderr=subprocess.STDOUT
        )
        container = Container(self._processes, process, keep)
        self._account.hooks.started(Program("build", self._build, container))
        while (code := container.wait(_POLL_SECONDS)) is None:
            if stopped():
                container.stop(0)
                raise BuildStoppedError
        if code != 0:
            with lock:
                raise PhaseError(_explain(lines, code))

    def variables(self, names: Sequence[str]) -> dict[str, str]:
        """The values of shell variables after the commands; an unset variable is empty."""
        if not names:
            return {}
        state = shlex.quote(str(self._state))
        shown = " ".join(f'"${{{name}-}}"' for name in names)
        process = self._processes.start(
            [_bash(), "-c", f". {state} 2>/dev/null; printf '%s\\0' {shown}"],
            cwd=self._directory,
            env=self._environment,
        )
        output, _ = process.communicate()
        return dict(zip(names, output.decode(errors="replace").split("\0"), strict=False))

    def _script(self, commands: Sequence[str], succeeding: bool) -> Path:
        state, cwd = shlex.quote(str(self._state)), shlex.quote(str(self._cwd))
        parts = [
            f". {state} 2>/dev/null",
            f'cd -- "$(<{cwd})"',
            f"export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}",
            f"trap '{{ declare -p; declare -f; set +o; }} > {state}; pwd > {cwd}' EXIT",
        ]
        for number, command in enumerate(commands):
            file = self._directory / f"command-{number}"
            file.write_text(command + "\n", encoding="utf-8")
            parts.append(f"printf '%s\\n' {shlex.quote(_MARK + command.rstrip())}")
            # No `||` here: bash ignores `set -e` in commands on the left side of `||`.
            parts += [f". {shlex.quote(str(file))}", "__status=$?", "[ $__status -eq 0 ] || exit $__status"]
        script = self._directory / "phase.sh"
        script.write_text("\n".join(parts) + "\n", encoding="utf-8")
        return script


def _explain(lines: Sequence[str], code: int) -> str:
    starts = [number for number, line in enumerate(lines) if line.startswith(_MARK)]
    start = starts[-1] if starts else 0
    command = lines[start].removeprefix(_MARK) if lines else ""
    tail = "\n".join([line for line in lines[start + 1 :] if line.strip()][-5:])
    return f"Error while executing command: {command}. Reason: exit status {code}" + (f"\n{tail}" if tail else "")


def _bash() -> str:
    found = shutil.which("bash")
    return found if found is not None else "/bin/bash"
