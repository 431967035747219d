"""HTTP connections with the limits for which the server has no settings.

Without them, a client that sends half a request, or does not read its response, keeps a connection, and what it has
sent, for ever. uvicorn has a setting only for connections that are idle after a response, ``timeout_keep_alive``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = logging.getLogger("serve")
IDLE_SECONDS = 75
# What may come beside the body: the head of a request, or trailers. It is kept in memory until it is complete.
_MOST_OTHER_BYTES = 32 * 1024
_HEAD_SECONDS = 20
_REST_SECONDS = 20
_READING_SECONDS = 60
# With few file descriptors left, connections that do nothing must not keep others out.
_CROWDED_SECONDS = 2


class LimitedConnection(HttpToolsProtocol):
    """One connection. Every request passes here, so the methods of the base class are called without ``super``."""

    _other_bytes = 0
    _brought_body = False
    _seen: tuple[object, float | None] = (None, None)
    _since = 0.0

    def data_received(self, data: bytes) -> None:
        message, self._brought_body = self.scope, False
        HttpToolsProtocol.data_received(self, data)
        if message is not self.scope or self._brought_body:
            self._other_bytes = 0
            return
        self._other_bytes += len(data)
        if self._other_bytes > _MOST_OTHER_BYTES and not self.transport.is_closing():
            if self._is_in_head:
                self.send_400_response("The head of the request is too large.")
            else:
                self.transport.abort()

    def on_body(self, body: bytes) -> None:
        self._brought_body = True
        HttpToolsProtocol.on_body(self, body)

    def look(self, now: float, *, crowded: bool) -> None:
        """Close the connection if it has been in one state for too long."""
        seconds = self._longest()
        if self._seen != (self.scope, seconds):
            self._seen, self._since = (self.scope, seconds), now
        elif seconds is not None and now - self._since > (_CROWDED_SECONDS if crowded else seconds):
            if seconds == _READING_SECONDS:
                _log.warning("a response was not read within %d seconds; the connection is closed", seconds)
            self.transport.abort()

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
