"""The ASGI server, which shuts down without losing a request.

When an ASGI server stops, it normally closes all idle connections at once, and loses every request that a client has
just sent on one. This server closes each connection with a response instead: for a short time it still handles all
requests, and responds with ``Connection: close``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import resource
import signal
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

import uvicorn

from sagemaker_contract.serving.connections import IDLE_SECONDS, LimitedConnection, look_at_all

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sagemaker_contract.serving.application import Application

# SageMaker kills the container 30 seconds after SIGTERM.
DRAIN_SECONDS = 23
_QUIET_SECONDS = 1.0
_LAST_CONNECTIONS_SECONDS = 0.2
# Of the file descriptors that a process may have. Above, connections that do nothing are closed.
_CROWDED_SHARE = 0.8


class DrainingServer(uvicorn.Server):
    """Serves an application on one listener; SIGTERM and SIGINT drain it."""

    def __init__(
        self, application: Application, listener: socket.socket, started: Callable[[], Awaitable[None]]
    ) -> None:
        """``started`` runs concurrently with the server as soon as that listens."""
        super().__init__(
            uvicorn.Config(
                application,
                http=LimitedConnection,
                lifespan="off",
                ws="none",
                access_log=False,
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )
        self._application = application
        self._listener = listener
        self._on_started = started
        self._tasks: list[asyncio.Task[None]] = []
        self._most_connections = _CROWDED_SHARE * resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals instead of uvicorn, which would close idle connections and exit."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.drain)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tasks.append(asyncio.ensure_future(self._on_started()))

    def close_stalled(self) -> None:
        """Close the connections of clients that neither send nor read; must be called regularly."""
        connections = self.server_state.connections
        look_at_all(connections, time.monotonic(), crowded=len(connections) > self._most_connections)

    def drain(self) -> None:
        """Start to shut down; a second call has no effect."""
        if not self._application.draining:
            self._application.draining = True
            self._tasks.append(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        began = time.monotonic()
        # Refuse new connections and serve the existing ones; then closing the listener loses nothing.
        refuse_connections(self._listener)
        await asyncio.sleep(_LAST_CONNECTIONS_SECONDS)
        for server in self.servers:
            server.close()
        while self.server_state.connections and time.monotonic() - began < DRAIN_SECONDS:
            if not self._application.in_flight and self._quiet():
                break
            await asyncio.sleep(0.02)
        self._application.give_up("the server is shutting down")
        await asyncio.sleep(0.05)
        self.should_exit = True

    def _quiet(self) -> bool:
        return time.perf_counter() - self._application.last_request > _QUIET_SECONDS


def refuse_connections(listener: socket.socket) -> None:
    """Make the kernel drop new connection requests, but complete the connections that are being opened.

    Closing a listener resets the connections that wait in its queue, some of which have already sent a request. On
    systems other than Linux these can be lost.
    """
    if not sys.platform.startswith("linux"):
        return
    attach_filter = 26
    # The TCP flags of an arriving segment; only SYN without ACK is dropped.
    instructions = [
        (0x30, 0, 0, 13),
        (0x54, 0, 0, 0x12),
        (0x15, 0, 1, 0x02),
        (0x06, 0, 0, 0),
        (0x06, 0, 0, 0xFFFFFFFF),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in instructions))
    with contextlib.suppress(OSError):
        listener.setsockopt(
            socket.SOL_SOCKET, attach_filter, struct.pack("HL", len(instructions), ctypes.addressof(program))
        )
