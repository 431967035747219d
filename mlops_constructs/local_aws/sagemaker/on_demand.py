"""A serving container that runs only while it is needed."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.containers.running import Container

DRAIN_SECONDS = 30.0
"""Time between SIGTERM and SIGKILL, as on AWS."""
_PING_SECONDS = 2.0
_PING_PAUSE_SECONDS = 0.1


class OnDemandContainer:
    """Starts a container again and again; it has the methods of `Container` that an endpoint uses.

    The first container starts at once, so that an endpoint is in service only when its model can be loaded.
    """

    def __init__(self, start: Callable[[], Container], health_seconds: float) -> None:
        self._start = start
        self._health_seconds = health_seconds
        self._lock = threading.Lock()
        self._container: Container | None = start()

    @property
    def runs(self) -> bool:
        """Whether there is a container now."""
        return self._container is not None

    def wake(self) -> float:
        """Start a container if none runs, and wait until it is healthy; return the seconds that it took, or 0.

        Raises:
            OSError: it does not become healthy.
        """
        began = time.monotonic()
        with self._lock:
            if self._container is not None and self._container.exit_code() is None:
                return 0.0
            self._container = self._start()
            while not is_healthy(self._container):
                ended = self._container.exit_code() is not None
                if ended or time.monotonic() - began > self._health_seconds:
                    self._container.stop(0)
                    self._container = None
                    raise ConnectionError("the container did not pass the ping health check")
                time.sleep(_PING_PAUSE_SECONDS)
        return time.monotonic() - began

    def rest(self) -> None:
        """End the container, if one runs."""
        with self._lock:
            container, self._container = self._container, None
        if container is not None:
            container.stop(DRAIN_SECONDS)

    def connection(self, timeout_seconds: float) -> http.client.HTTPConnection:
        """Return an HTTP connection to the server. Raises OSError when none runs."""
        container = self._container
        if container is None:
            raise ConnectionRefusedError("no container runs")
        return container.connection(timeout_seconds)

    def exit_code(self) -> int | None:
        """The exit code of the program; None while it runs, or none runs."""
        container = self._container
        return None if container is None else container.exit_code()

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait for the end of the program, and return its exit code; None after the timeout."""
        container = self._container
        return None if container is None else container.wait(timeout_seconds)

    def stop(self, grace_seconds: float) -> None:
        """End the container for good."""
        container = self._container
        if container is not None:
            container.stop(grace_seconds)


def is_healthy(container: Container | OnDemandContainer) -> bool:
    """Whether the server responds to a ping with status 200."""
    try:
        with contextlib.closing(container.connection(_PING_SECONDS)) as connection:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
