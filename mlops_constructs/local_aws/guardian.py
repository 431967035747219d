"""Has the processes that this one has started ended when this one gets SIGKILL."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM = Path(__file__).with_name("guardian_program.py")
_END_SECONDS = 5.0


class Guardian:
    """The program that watches this process, and what it is told. It starts with the first process to guard."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._program: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._running: dict[int, Sequence[str] | None] = {}

    def starting(self, command: Sequence[str]) -> None:
        """Announce that a command is about to be started."""
        self._tell("starting", list(command))

    def started(self, pid: int | None, farewell: Sequence[str] | None = None) -> None:
        """Announce that it leads a session now; or with None, that it could not be started.

        Args:
            pid: Its process.
            farewell: A command to run after this process was killed, for what would outlive the session.
        """
        with self._lock:
            if pid is not None:
                self._running[pid] = farewell
            self._tell("started", pid, farewell)

    def ended(self, pid: int) -> None:
        """Announce that nothing of a session is left."""
        with self._lock:
            if self._running.pop(pid, self) is not self:
                self._tell("ended", pid)

    def _tell(self, *message: Any) -> None:
        with self._lock:
            if self._owner != os.getpid():
                # A fork: the program belongs to the parent, and so do the sessions.
                self._owner, self._program, self._running = os.getpid(), None, {}
            if self._program is None:
                self._start()
            try:
                self._write(*message)
            except BrokenPipeError:  # somebody has killed it
                self._start()
                for pid, farewell in self._running.items():
                    self._write("started", pid, farewell)
                self._write(*message)

    def _start(self) -> None:
        if self._program is None:
            atexit.register(self._close, os.getpid())
        else:
            self._program.wait()
        self._program = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_PROGRAM), str(os.getpid())],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def _write(self, *message: Any) -> None:
        assert self._program is not None
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(message).encode() + b"\n")

    def _close(self, owner: int) -> None:
        """Let it end what is left, at the exit of this process."""
        with self._lock:
            if os.getpid() != owner or self._program is None or self._program.stdin is None:
                return
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._program.stdin.close()
                self._program.wait(_END_SECONDS)
            self._program = None


guardian = Guardian()
"""That of this process."""
