"""A loopback port that leads to a container."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK_BYTES = 65_536


class ForwardedPort(socketserver.ThreadingTCPServer):
    """Connects each of its clients to a container; in a `with` block it serves."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, connect: Callable[[], socket.socket]) -> None:
        """Listen. Raises OSError when the port is already in use."""
        self.connect = connect
        super().__init__(("127.0.0.1", port), _Forwarding)

    def __enter__(self) -> ForwardedPort:
        threading.Thread(target=self.serve_forever, args=(0.05,), name="forwarded-port", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Forwarding(socketserver.BaseRequestHandler):
    server: ForwardedPort
    request: socket.socket

    def handle(self) -> None:
        try:
            container = self.server.connect()
        except OSError:
            return  # the container has ended
        with container:
            back = threading.Thread(target=_pump, args=(container, self.request), daemon=True)
            back.start()
            _pump(self.request, container)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
