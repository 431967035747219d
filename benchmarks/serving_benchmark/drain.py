"""Terminate a server while clients send requests without pause, and count the requests without a response."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


_ANSWERS = 200
_PATIENCE_SECONDS = 60


class Client(threading.Thread):
    """Sends one request after another until the server has ended.

    A request counts as unanswered if its connection was opened and it was sent, but there was no response. A refused
    connection is not counted as a request.
    """

    def __init__(self, port: int, body: bytes, ended: threading.Event, *, keep_alive: bool) -> None:
        super().__init__(daemon=True)
        self.outcomes: Counter[str] = Counter()
        self._port = port
        self._body = body
        self._ended = ended
        self._keep_alive = keep_alive

    @property
    def answered(self) -> int:
        """The number of requests with a response."""
        return sum(count for outcome, count in self.outcomes.copy().items() if outcome.isdigit())

    def run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._ended.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
                try:
                    connection.connect()
                except ConnectionError:
                    self.outcomes["refused"] += 1
                    connection = None
                    time.sleep(0.05)
                    continue
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._ask(connection) or not self._keep_alive:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> bool:
        """Send one request; return whether the connection can be used for another."""
        try:
            connection.request("POST", "/invocations", self._body, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.outcomes["unanswered"] += 1
            return False
        self.outcomes[str(answer.status)] += 1
        return not answer.will_close


def drain_under_load(
    port: int, terminate: Callable[[], None], wait: Callable[[], object], body: bytes, clients: int, *, keep_alive: bool
) -> dict[str, float]:
    """Load the server for at least a second and 200 responses, terminate it, and count the outcomes of all requests."""
    ended = threading.Event()
    threads = [Client(port, body, ended, keep_alive=keep_alive) for _ in range(clients)]
    for client in threads:
        client.start()
    time.sleep(1)
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while sum(client.answered for client in threads) < _ANSWERS and time.monotonic() < give_up:
        time.sleep(0.05)
    began = time.monotonic()
    terminate()
    wait()
    seconds = time.monotonic() - began
    ended.set()
    for client in threads:
        client.join(60)
    total = sum((client.outcomes for client in threads), Counter[str]())
    return {
        "answered": sum(count for outcome, count in total.items() if outcome.isdigit()),
        "not_200": sum(count for outcome, count in total.items() if outcome.isdigit() and outcome != "200"),
        "unanswered": total["unanswered"],
        "exit_seconds": round(seconds, 2),
    }
