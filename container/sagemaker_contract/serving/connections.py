"""HTTP connections with the limits for which the server has no settings.

Without them, a client that sends half a request, or does not read its response, keeps a connection, and what it has
sent, for ever. uvicorn has a setting only for connections that are idle after a response, ``timeout_keep_alive``.
"""

from __future__ import annotations

import logging
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sized

_log = logging.getLogger("serve")
IDLE_SECONDS = 75
# What may come beside the body: the head of a request, or trailers. It is kept in memory until it is complete.
_MOST_OTHER_BYTES = 32 * 1024
_HEAD_SECONDS = 20
_REST_SECONDS = 20
_READING_SECONDS = 60
# With few file descriptors left, connections that do nothing must not keep others out.
_CROWDED_SECONDS = 2
# Of the file descriptors that a worker may have and does not need itself.
_CROWDED_SHARE = 0.8
# With so many connections, in shares of the room, requests get 503, and only /ping is answered.
_FULL = 1.125
# Closing one connection takes as long as looking at all.
_CLOSED_AT_ONCE = 1 / 16
# Requests that a client sends before the response to its first one.
_MOST_PIPELINED = 64
# Heads that have come in parts, and pipelined requests, of all connections together.
_FEW_OTHER_BYTES = 4 * 1024
_MOST_OTHER_BYTES_TOGETHER = 16 * 1024 * 1024


class _Flow(FlowControl):
    """Reads no more while requests wait for the one before them; uvicorn would, and keep all of them."""

    def __init__(self, transport: Any, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            FlowControl.resume_reading(self)


class LimitedConnection(HttpToolsProtocol):
    """One connection. Every request passes here, so the methods of the base class are called without ``super``.

    Attributes:
        room: How many connections the worker may have before it closes those that do nothing.
        make_room: Ends a request whose body does not come, if there is one; returns whether there was.
        without_room: The application of a connection for which no other one could be closed.
    """

    room: ClassVar[float] = float("inf")
    make_room: ClassVar[Callable[[], bool]] = staticmethod(lambda: False)
    without_room: ClassVar[Any] = None
    _other_bytes_together: ClassVar[int] = 0
    _other_bytes = 0
    _brought_body = False
    _running: Any = None
    _seen: tuple[object, float | None] = (None, None)
    _since = 0.0

    def connection_made(self, transport: Any) -> None:
        HttpToolsProtocol.connection_made(self, transport)
        self.flow = _Flow(transport, self.pipeline)
        count = len(self.connections)
        if count > self.room:
            self._since = time.monotonic()
            others = self.connections - {self}
            closed = close_idle(others, most=max(1, int(self.room * _CLOSED_AT_ONCE)))
            if not closed and not self.make_room() and count > self.room * _FULL:
                self.app = self.without_room

    def connection_lost(self, exc: Exception | None) -> None:
        HttpToolsProtocol.connection_lost(self, exc)
        self._count_others(0)
        if self.pipeline:
            # uvicorn tells the last request only; the one that runs would write to a closed connection.
            self._running.disconnected = True
            self._running.message_event.set()
            self.pipeline.clear()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        HttpToolsProtocol._start_asgi_task(self, cycle, app)

    def data_received(self, data: bytes) -> None:
        message, self._brought_body = self.scope, False
        HttpToolsProtocol.data_received(self, data)
        if self.pipeline:
            self._limit_pipeline(len(data))
            return
        if self._brought_body or (
            message is not self.scope and (len(data) <= _FEW_OTHER_BYTES or not self._is_in_head)
        ):
            if self._other_bytes:
                self._count_others(0)
            return
        self._count_others(len(data) if message is not self.scope else self._other_bytes + len(data))
        too_many = self._other_bytes > _MOST_OTHER_BYTES or self._others_are_too_many_together
        if too_many and not self.transport.is_closing():
            if self._is_in_head:
                self.send_400_response("The head of the request is too large.")
            else:
                self.transport.abort()

    def _limit_pipeline(self, size: int) -> None:
        self._count_others(self._other_bytes + size)
        if len(self.pipeline) > _MOST_PIPELINED or self._others_are_too_many_together:
            _log.warning("too many requests before the first response; the connection is closed")
            self.transport.abort()

    def _count_others(self, size: int) -> None:
        LimitedConnection._other_bytes_together += size - self._other_bytes
        self._other_bytes = size

    @property
    def _others_are_too_many_together(self) -> bool:
        return self._other_bytes > _FEW_OTHER_BYTES and self._other_bytes_together > _MOST_OTHER_BYTES_TOGETHER

    def on_body(self, body: bytes) -> None:
        self._brought_body = True
        HttpToolsProtocol.on_body(self, body)

    def look(self, now: float, *, crowded: bool) -> None:
        """Close the connection if it has been in one state for too long."""
        seconds = self._longest()
        if self._other_bytes and seconds == IDLE_SECONDS:
            # The pipelined requests have their responses.
            self._count_others(0)
        if self._seen != (self.scope, seconds):
            self._seen, self._since = (self.scope, seconds), now
        elif seconds is not None and now - self._since > (_CROWDED_SECONDS if crowded else seconds):
            if seconds == _READING_SECONDS:
                _log.warning("a response was not read within %d seconds; the connection is closed", seconds)
            self.transport.abort()

    @property
    def does_nothing(self) -> bool:
        """Whether nobody waits for a response on it."""
        return self._longest() in (IDLE_SECONDS, _HEAD_SECONDS) and not self.transport.is_closing()

    @property
    def age(self) -> tuple[bool, float]:
        """What is closed first sorts first: connections that never brought a request, and old ones."""
        return self.cycle is not None and not self._is_in_head, self._since

    @property
    def _is_in_head(self) -> bool:
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    def _longest(self) -> float | None:
        """For how many seconds the connection may stay as it is; ``None`` while the application has a request."""
        if self.transport.get_write_buffer_size():
            return _READING_SECONDS
        if self._is_in_head:
            return _HEAD_SECONDS
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        # A body can still come after its response; it is discarded.
        return _REST_SECONDS if self.cycle is not None and self.cycle.more_body else IDLE_SECONDS


def look_at_all(connections: Iterable[object], now: float, *, crowded: bool) -> None:
    """Close connections that have been in one state for too long; must be called regularly."""
    for connection in tuple(connections):
        if isinstance(connection, LimitedConnection):
            connection.look(now, crowded=crowded)


def close_idle(connections: Iterable[object], *, most: int) -> int:
    """Close connections that do nothing, up to a number; return how many."""
    idle = sorted(
        (one for one in connections if isinstance(one, LimitedConnection) and one.does_nothing),
        key=lambda connection: connection.age,
    )
    for connection in idle[:most]:
        connection.transport.abort()
    return len(idle[:most])


def room_for_connections() -> float:
    """How many connections this process may have before it closes those that do nothing."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return float("inf")
    return _CROWDED_SHARE * (limit - len(list(Path("/dev/fd").iterdir())))
