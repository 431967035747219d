"""The ASGI server, ended without losing a request.

An ASGI server told to stop closes what is idle at that moment, and with it every request that is on its way. Here
the connections are let go by their own answers instead: for a short while everything is still answered, each time
with ``Connection: close``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sagemaker_contract.serving.application import Application

# SageMaker kills the container 30 seconds after SIGTERM.
DRAIN_SECONDS = 23
_QUIET_SECONDS = 1.0
_LAST_CONNECTIONS_SECONDS = 0.2
_IDLE_CONNECTION_SECONDS = 75


class DrainingServer(uvicorn.Server):
    """Serves an application on one listener; SIGTERM and SIGINT drain it."""

    def __init__(
        self, application: Application, listener: socket.socket, started: Callable[[], Awaitable[None]]
    ) -> None:
        """``started`` runs beside the server as soon as it listens."""
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="off",
                ws="none",
                access_log=False,
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )
        self._application = application
        self._listener = listener
        self._on_started = started
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals before uvicorn does: it would close what is idle, and end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.drain)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tasks.append(asyncio.ensure_future(self._on_started()))

    def drain(self) -> None:
        """Begin the end; a second call changes nothing."""
        if not self._application.draining:
            self._application.draining = True
            self._tasks.append(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        began = time.monotonic()
        # Who has connected is served; nobody connects any more; then nothing is lost by closing.
        refuse_connections(self._listener)
        await asyncio.sleep(_LAST_CONNECTIONS_SECONDS)
        for server in self.servers:
            server.close()
        while self.server_state.connections and time.monotonic() - began < DRAIN_SECONDS:
            if not self._application.in_flight and self._quiet():
                break
            await asyncio.sleep(0.02)
        self._application.give_up("the server is ending")
        await asyncio.sleep(0.05)
        self.should_exit = True

    def _quiet(self) -> bool:
        return time.perf_counter() - self._application.last_request > _QUIET_SECONDS


def refuse_connections(listener: socket.socket) -> None:
    """Let the kernel drop what would open a connection, and still complete those that are being opened.

    Closing a listener resets the connections that wait in it, some with a request already sent. Elsewhere than on
    Linux that small window stays open.
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
