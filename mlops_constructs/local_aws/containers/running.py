"""A running container: a child process, and a thread that reads its output."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.processes import ChildProcesses

_READER_SECONDS = 2.0
"""How long to wait for the last output: a grandchild process may keep the pipe open for longer."""


class Container:
    """A handle of a started program."""

    def __init__(
        self,
        processes: ChildProcesses,
        process: subprocess.Popen[bytes],
        log: Callable[[str], None],
        end: Callable[[float], None] | None = None,
    ) -> None:
        self._processes = processes
        self._process = process
        self._log = log
        self._end = end
        self._reader = threading.Thread(target=self._read, name="container-output", daemon=True)
        self._reader.start()

    def exit_code(self) -> int | None:
        """The program's exit code; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait for the end, then for the last output, and return the exit code; None after the timeout."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_seconds)
            self._reader.join(_READER_SECONDS)
        return self._process.poll()

    def stop(self, grace_seconds: float) -> None:
        """Send SIGTERM, and SIGKILL when the program still runs after the grace period."""
        if self._end is not None:
            self._end(grace_seconds)
        self._processes.end(self._process, grace_seconds)
        self._reader.join(_READER_SECONDS)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for raw in output:
                self._log(raw.decode(errors="replace").rstrip("\r\n"))
