"""A running container: a child process, a thread that reads its output, and, when it serves, the way to its port."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.processes import signal_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.processes import ChildProcesses

SERVING_PORT = 8080
"""The port that SageMaker connects to: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
_READER_SECONDS = 2.0
"""How long to wait for the last output: a grandchild process may keep the pipe open for longer."""
_LONG_SECONDS = 60.0
_PAUSE_SECONDS = 0.1


class Container:
    """A handle of a started program."""

    def __init__(
        self,
        processes: ChildProcesses,
        process: subprocess.Popen[bytes],
        log: Callable[[str], None],
        *,
        end: Callable[[float], None] | None = None,
        connect: Callable[[], socket.socket] | None = None,
        resources: contextlib.ExitStack | None = None,
    ) -> None:
        """Take over a started program.

        Args:
            processes: The children that it is one of.
            process: It.
            log: Takes the lines that it prints.
            end: Ends it, within a grace period in seconds, before the process is ended.
            connect: Connects to its port; None when it does not serve.
            resources: Closed when it has ended.
        """
        self._processes = processes
        self._process = process
        self._log = log
        self._end = end
        self._connect = connect
        self._resources = contextlib.ExitStack() if resources is None else resources
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="container-output", daemon=True)
        self._reader.start()

    def connect(self) -> socket.socket:
        """Return a socket that is connected to the server. Raises OSError when nothing listens."""
        assert self._connect is not None
        return self._connect()

    def connect_when_ready(self) -> socket.socket:
        """Return a connected socket as soon as the server listens. Raises OSError when it has ended."""
        while True:
            try:
                return self.connect()
            except OSError:
                if self.exit_code() is not None:
                    raise
            time.sleep(_PAUSE_SECONDS)

    def connection(self, timeout_seconds: float) -> http.client.HTTPConnection:
        """Return an HTTP connection to the server. Raises OSError when nothing listens."""
        connection = http.client.HTTPConnection("localhost", SERVING_PORT, timeout=timeout_seconds)
        connection.sock = self.connect()
        connection.sock.settimeout(timeout_seconds)
        return connection

    @property
    def pid(self) -> int:
        """Id of the process that leads it; of Docker's client, where an engine runs it."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """The program's exit code; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait for the end, then for the last output, and return the exit code; None after the timeout."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_seconds)
            self._reader.join(_READER_SECONDS)
            self._release()
        return self._process.poll()

    def finish(self, grace_seconds: float = 0) -> int:
        """Wait for the end, however long it takes, and return the exit code; an exception ends the program too."""
        try:
            while (code := self.wait(_LONG_SECONDS)) is None:
                pass
        except BaseException:
            self.stop(grace_seconds)
            raise
        return code

    def stop(self, grace_seconds: float) -> None:
        """Send SIGTERM, and SIGKILL when the program still runs after the grace period."""
        if self._end is not None:
            self._end(grace_seconds)
        self._processes.end(self._process, grace_seconds)
        self._reader.join(_READER_SECONDS)
        self._release()

    def kill(self) -> None:
        """End the program at once, without SIGTERM first."""
        signal_group(self._process, signal.SIGKILL)
        self.stop(0)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for raw in output:
                self._log(raw.decode(errors="replace").rstrip("\r\n"))
        self._process.wait()
        self._release()

    def _release(self) -> None:
        with self._lock:
            self._resources.close()


def reported(exit_code: int) -> int:
    """Return an exit code as a container's: 137 when the program was killed, for want of memory for example."""
    return exit_code if exit_code >= 0 else 128 - exit_code


def loopback(port: int) -> Callable[[], socket.socket]:
    """Return what connects to a port of this machine."""
    return lambda: socket.create_connection(("127.0.0.1", port))
