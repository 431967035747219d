"""The ASGI server, which shuts down without losing a request.

When an ASGI server stops, it normally closes all idle connections at once, and loses every request that a client has
just sent on one. This server closes each connection with a response instead: for a short time it still handles all
requests, and responds with ``Connection: close``.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

import uvicorn

from sagemaker_contract.serving.connections import IDLE_SECONDS, LimitedConnection, look_at_all, room_for_connections
from sagemaker_contract.serving.listeners import drop_new_connections, is_listening, someone_waits, stop_listening

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator

    from sagemaker_contract.serving.application import Application
    from sagemaker_contract.serving.listeners import Listeners
    from sagemaker_contract.serving.telemetry import Telemetry

# SageMaker kills the container 30 seconds after SIGTERM.
DRAIN_SECONDS = 23
_QUIET_SECONDS = 1.0
_LAST_CONNECTIONS_SECONDS = 0.2
_MOST_ACCEPTING_SECONDS = 10
# After this time without a heartbeat, the other workers accept the connections of a worker.
_SILENT_SECONDS = 1.5


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
        self._others: dict[int, asyncio.AbstractServer] = {}
        LimitedConnection.room = room_for_connections()
        LimitedConnection.make_room = staticmethod(application.unread.refuse_oldest)
        LimitedConnection.without_room = staticmethod(application.without_room)

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

    @property
    def is_crowded(self) -> bool:
        """Whether so many connections are open that those that do nothing must not keep others out."""
        return len(self.server_state.connections) > LimitedConnection.room

    def close_stalled(self) -> None:
        """Close the connections of clients that neither send nor read; must be called regularly."""
        look_at_all(self.server_state.connections, time.monotonic(), crowded=self.is_crowded)

    async def accept_for_others(self, listeners: Listeners, telemetry: Telemetry) -> None:
        """Accept the connections that wait for workers that are silent; must be called regularly."""
        board = telemetry.board
        for number in range(len(listeners)):
            listener = listeners.of(number)
            silent = not board.was_heard(number) or board.silent_seconds(number) > _SILENT_SECONDS
            needed = silent and number != telemetry.worker and not self._application.draining and is_listening(listener)
            if needed and number not in self._others:
                self._others[number] = await asyncio.get_running_loop().create_server(
                    self._connection, sock=listener.dup(), backlog=self.config.backlog
                )
            elif not needed and number in self._others:
                self._others.pop(number).close()

    def _connection(self) -> LimitedConnection:
        return LimitedConnection(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    def drain(self) -> None:
        """Start to shut down; a second call has no effect."""
        if not self._application.draining:
            self._application.draining = True
            self._tasks.append(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        began = time.monotonic()
        # Refuse new connections and accept the existing ones; then closing the listener loses nothing.
        drop_new_connections(self._listener)
        await asyncio.sleep(_LAST_CONNECTIONS_SECONDS)
        await wait_until_accepted(self._listener, _MOST_ACCEPTING_SECONDS)
        stop_listening(self._listener)
        for server in (*self.servers, *self._others.values()):
            server.close()
        while self.server_state.connections and time.monotonic() - began < DRAIN_SECONDS:
            if not self._application.in_flight and self._quiet():
                break
            await asyncio.sleep(0.02)
        # What still waits, for a body, a turn, a thread or a model, gets 503.
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await asyncio.sleep(0.05)
        self.should_exit = True

    def _quiet(self) -> bool:
        return time.perf_counter() - self._application.last_request > _QUIET_SECONDS


async def wait_until_accepted(listener: socket.socket, seconds: float) -> None:
    """Wait until no connection waits any more, but not longer than a number of seconds."""
    deadline = time.monotonic() + seconds
    while someone_waits(listener) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
