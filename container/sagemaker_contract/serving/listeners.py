"""The sockets that listen: one for each worker, all made by the supervisor, so that a worker can lose none.

The kernel distributes the connections among those that listen. The connections that wait for a worker that hangs, or
was lost, are accepted by the others.
"""

from __future__ import annotations

import contextlib
import ctypes
import select
import socket
import struct
import sys

from sagemaker_contract.errors import ConfigurationError

_ATTACH_FILTER, _DETACH_FILTER = 26, 27
_MOST_REFUSED_AT_ONCE = 1000


class Listeners:
    """The bound sockets, by the number of their worker. A worker listens on its own when it can respond."""

    def __init__(self, host: str, port: int, count: int) -> None:
        """Bind ``count`` sockets to one port.

        Raises:
            ConfigurationError: If the port is already in use, even by another server of this kind.
        """
        if count > 1:
            # Two independent servers could both bind a shared port. Binding it unshared first detects this.
            _bind(host, port, shared=False).close()
        self._sockets = [_bind(host, port, shared=count > 1) for _ in range(count)]

    def __len__(self) -> int:
        return len(self._sockets)

    def of(self, number: int) -> socket.socket:
        """The socket of a worker."""
        return self._sockets[number]

    def stop(self) -> None:
        """Refuse connections, also those that wait, until a worker listens again."""
        for listener in self._sockets:
            stop_listening(listener)

    def refuse(self, response: bytes) -> None:
        """Send all clients that wait for a connection the same response."""
        for listener in filter(is_listening, self._sockets):
            for _ in range(_MOST_REFUSED_AT_ONCE):
                try:
                    client, _ = listener.accept()
                except OSError:
                    break
                with client, contextlib.suppress(OSError):
                    client.setblocking(False)
                    # Closing a connection with unread bytes would take the response back.
                    with contextlib.suppress(BlockingIOError):
                        client.recv(1 << 20)
                    client.send(response)
                    client.shutdown(socket.SHUT_WR)


def is_listening(listener: socket.socket) -> bool:
    """Whether somebody listens on a bound socket."""
    return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def someone_waits(listener: socket.socket) -> bool:
    """Whether a connection waits to be accepted."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))


def stop_listening(listener: socket.socket) -> None:
    """Stop for all processes that have the socket. It remains bound."""
    # Shut down twice, it would never listen again.
    if is_listening(listener):
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def drop_new_connections(listener: socket.socket) -> None:
    """Make the kernel drop new connection requests, but complete the connections that are being opened.

    A listener that stops resets the connections that wait in its queue, some of which have already sent a request. On
    systems other than Linux these can be lost.
    """
    # The TCP flags of an arriving segment; only SYN without ACK is dropped.
    instructions = [
        (0x30, 0, 0, 13),
        (0x54, 0, 0, 0x12),
        (0x15, 0, 1, 0x02),
        (0x06, 0, 0, 0),
        (0x06, 0, 0, 0xFFFFFFFF),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in instructions))
    _set_filter(listener, _ATTACH_FILTER, struct.pack("HL", len(instructions), ctypes.addressof(program)))


def take_new_connections(listener: socket.socket) -> None:
    """Undo ``drop_new_connections``."""
    _set_filter(listener, _DETACH_FILTER, struct.pack("i", 0))


def _set_filter(listener: socket.socket, option: int, value: bytes) -> None:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, option, value)


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listener
