"""Child processes that never outlive this process, even when it gets SIGKILL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from mlops_constructs.local_aws.guardian import guardian

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GRACE_SECONDS = 1.5
# The guardian must know which of the commands that it was told of has started.
_starting = threading.Lock()


class ChildProcesses:
    """Starts children, each in a process group of its own, and ends whole groups."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.STDOUT,
        farewell: Sequence[str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command with exactly this environment; both outputs come as one pipe by default.

        `farewell` is run when this process was killed, for what the command has started outside of its session.

        Raises OSError when it cannot be run, and RuntimeError after `close()`.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the local AWS is closing")
            with _starting:
                process = _start(
                    [str(part) for part in command],
                    farewell,
                    cwd=cwd,
                    env=dict(env),
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                )
            self._forget_dead()
            self._running.add(process)
        return process

    def end(self, process: subprocess.Popen[bytes], grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask the whole group to end, then kill what is left of it."""
        signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_seconds)
        _kill_and_reap(process)

    def close(self) -> None:
        """End all children at once; no more can be started."""
        with self._lock:
            self._closed = True
            children = list(self._running)
            self._running.clear()
        for child in children:
            signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in children:
            _kill_and_reap(child)

    def _forget_dead(self) -> None:
        for child in [child for child in self._running if child.poll() is not None]:
            self._running.discard(child)
            _close_input(child)
            if not _group_exists(child):
                guardian.ended(child.pid)


def _start(command: Sequence[str], farewell: Sequence[str] | None, **options: Any) -> subprocess.Popen[bytes]:
    guardian.starting(command)
    process = None
    try:
        process = subprocess.Popen(command, **options)
    finally:
        guardian.started(None if process is None else process.pid, farewell)
    return process


def _kill_and_reap(process: subprocess.Popen[bytes]) -> None:
    signal_group(process, signal.SIGKILL)
    process.wait()
    _close_input(process)
    guardian.ended(process.pid)


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # what was not yet sent has no reader any more
            process.stdin.close()


def signal_group(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    """Signal the process group that a child leads; it may outlive its leader."""
    if process.returncode is not None and _exists(process.pid):
        # The kernel gives a number again only when no process of the group is left: this is somebody else's.
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _group_exists(leader: subprocess.Popen[bytes]) -> bool:
    try:
        os.killpg(leader.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
