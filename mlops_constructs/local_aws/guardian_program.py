"""End the processes that a process has started, when that one has ended without doing it.

A program of its own, because nothing runs in a process that gets SIGKILL, and of the standard library alone:
``python -I -S guardian_program.py PID``. PID is its parent, which writes JSON to its standard input, a message a line:

- ``["starting", COMMAND]``: it is about to start a command.
- ``["started", PID, FAREWELL]``: the command runs now, in a session of its own. PID is null when it did not start.
- ``["ended", PID]``: it has ended.

When the parent has ended, every session that is left gets SIGTERM, then SIGKILL. FAREWELL is a command that is run
then, or null: it ends what is not a child, such as a container of a Docker engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_LOOK_SECONDS = 0.5
_GRACE_SECONDS = 1.5
_FAREWELL_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
_PROC = Path("/proc")
# Of the fields of /proc/PID/stat after the name: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
_STATE, _PARENT, _SESSION, _BEGAN = 0, 1, 3, 19


class Sessions:
    """The sessions that the parent has started and that have not ended."""

    def __init__(self) -> None:
        self._starting: list[list[str]] = []
        self._running: dict[int, tuple[str, list[str] | None]] = {}

    def take(self, kind: str, value: Any, farewell: list[str] | None = None) -> None:
        """Take a message."""
        if kind == "starting":
            self._starting.append(value)
        elif kind == "ended":
            self._running.pop(value, None)
        else:
            self._starting.clear()
            if value is not None:
                self._running[value] = (_began(_stats().get(value)), farewell)

    def end(self) -> None:
        """End them all."""
        self._adopt()
        deadline = time.monotonic() + _GRACE_SECONDS
        alive = self._signal(signal.SIGTERM)
        while alive and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            alive = self._signal(0)
        if alive:
            self._signal(signal.SIGKILL)
        for _, farewell in self._running.values():
            if farewell is not None:
                with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                    subprocess.run(farewell, capture_output=True, timeout=_FAREWELL_SECONDS, check=False)

    def _adopt(self) -> None:
        """Find a command that was started and could not be announced any more: it leads an orphaned session."""
        for pid, fields in _stats().items() if self._starting else ():
            orphan = fields[_PARENT] == str(os.getppid()) and fields[_SESSION] == str(pid) != str(os.getpid())
            if orphan and any(_words(pid)[-len(command) :] == command for command in self._starting):
                self._running.setdefault(pid, (_began(fields), None))

    def _signal(self, number: int) -> bool:
        """Signal every process; return whether there was one."""
        stats, met = _stats(), False
        for leader, (began, _) in self._running.items():
            if leader in stats and _began(stats[leader]) != began:
                continue  # The kernel gives a number again only when nothing of its session is left.
            of_session = [pid for pid, fields in stats.items() if fields[_SESSION] == str(leader)]
            for pid in of_session:
                if stats[pid][_STATE] != "Z":
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
                        met = True
            if not stats:  # no /proc: its process group has to do
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(leader, number)
                    met = True
        return met


def _stats() -> dict[int, list[str]]:
    """Return the fields of every process by its number; nothing where there is no ``/proc``."""
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(folder.name)] = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    return found


def _began(fields: list[str] | None) -> str:
    return "" if fields is None else fields[_BEGAN]


def _words(pid: int) -> list[str]:
    """Return the command of a process; that of a script has its interpreter in front."""
    with contextlib.suppress(OSError):
        return [os.fsdecode(word) for word in (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]]
    return []


def main(parent: int) -> None:
    """Take messages until the parent has ended; a process that it has forked may hold the pipe open for longer."""
    sessions, waiting = Sessions(), b""
    while True:
        ready, _, _ = select.select([0], [], [], _LOOK_SECONDS)
        if not ready:
            if os.getppid() != parent:
                break
            continue
        data = os.read(0, 1 << 16)
        if not data:
            break
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            sessions.take(*json.loads(line))
    sessions.end()


if __name__ == "__main__":
    main(int(sys.argv[1]))
