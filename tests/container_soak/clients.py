"""Clients that behave badly, on plain sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from container_soak.measure import connections_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Beside the statuses of HTTP: the connection was closed without a response; there was none in time.
CLOSED, SILENT = 0, -1
RECORD = b"5.1,3.5,1.4,0.2\n"
# Longer than the server keeps a connection that does nothing.
_PATIENCE_SECONDS = 120.0


def invocation(body: bytes, *, length: int | None = None, chunked: bool = False, more: str = "") -> bytes:
    """Make a request; with ``length``, one that promises another length than it has."""
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body) if length is None else length}"
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n{more}{size}\r\n\r\n"
    return head.encode() + body


def in_chunks(body: bytes, *, ends: bool = True) -> bytes:
    """Make a body with Transfer-Encoding: chunked."""
    parts = (body[start : start + 65536] for start in range(0, len(body), 65536))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + (b"0\r\n\r\n" if ends else b"")


def connect(port: int, *, buffer: int | None = None) -> socket.socket:
    """Connect; ``buffer`` is how much the system takes for a client that does not read."""
    client = socket.socket()
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(_PATIENCE_SECONDS)
    client.connect(("127.0.0.1", port))
    return client


def status_of(client: socket.socket) -> int:
    """Read the response; give its status."""
    answer = b""
    try:
        while b"\r\n" not in answer and (part := client.recv(65536)):
            answer += part
    except TimeoutError:
        return SILENT
    except OSError:
        return CLOSED
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else CLOSED


def ask(port: int, request: bytes) -> int:
    """Send one request on a connection of its own, also if the response comes before the request has been sent."""
    try:
        client = connect(port)
    except TimeoutError:
        return SILENT
    except OSError:
        return CLOSED
    with client:
        with contextlib.suppress(ConnectionError, TimeoutError):
            client.sendall(request)
        return status_of(client)


def at_once(count: int, act: Callable[[], int]) -> Counter[int]:
    """Do the same in many threads; count what came back."""
    statuses: list[int] = []
    together = threading.Barrier(count)

    def one() -> None:
        together.wait()
        statuses.append(act())

    threads = [threading.Thread(target=one, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


def crowd(port: int, count: int, sent: bytes = b"", *, buffer: int | None = None) -> list[socket.socket]:
    """Open many connections, and send the same on each."""
    clients = []
    for _ in range(count):
        client = connect(port, buffer=buffer)
        client.setblocking(False)
        # What does not fit into the buffers is not sent: nobody reads it.
        with contextlib.suppress(OSError):
            client.send(sent)
        clients.append(client)
    return clients


def left_open(clients: Iterable[socket.socket]) -> int:
    """Count the connections that the server has not closed."""
    count = 0
    for client in clients:
        with contextlib.suppress(OSError):
            client.setblocking(False)
            try:
                while client.recv(1 << 20):
                    pass
            except BlockingIOError:
                count += 1
    return count


def wait_until_closed(port: int, clients: list[socket.socket], seconds: float) -> int:
    """Wait until the server has closed all, and read nothing; give how many it has not.

    A connection has its seconds from the last byte that the server read or sent on it: what it has to do before for a
    thousand clients takes as long as the machine is busy.
    """
    ports = {client.getsockname()[1] for client in clients}
    seen: dict[int, tuple[str, float]] = {}
    while True:
        now = time.monotonic()
        queued = {one: held for one, held in connections_of(port).items() if one in ports}
        unchanged = {one: seen[one] for one, held in queued.items() if one in seen and seen[one][0] == held}
        seen = {one: (held, now) for one, held in queued.items()} | unchanged
        if all(now - since > seconds for _, since in seen.values()):
            return len(seen)
        time.sleep(0.5)


def close_all(clients: Iterable[socket.socket]) -> None:
    """Close the connections."""
    for client in clients:
        client.close()
