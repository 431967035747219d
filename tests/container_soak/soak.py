"""Mixed requests for minutes: valid, invalid, large, slow ones, and clients that go away."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from container_fuzz.cases import case

from container_soak.clients import RECORD, ask, connect, invocation, status_of
from container_soak.drift import Window
from container_soak.measure import taken_by
from container_soak.probe import ask as ask_http
from container_soak.quiet import quiet, wait_until_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGE = RECORD * (5_100_000 // len(RECORD))
_VALID_CALLERS = 3
_SECONDS = 60.0


@dataclass
class Mix:
    """What the clients got, by kind and status.

    Attributes:
        got: Of all kinds.
        valid, pings: Seconds of the valid requests and of /ping since the last window.
        goes: Unset while nobody may send.
    """

    got: Counter[tuple[str, int]] = field(default_factory=Counter)
    valid: list[float] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    goes: threading.Event = field(default_factory=threading.Event)

    def goes_on(self, seconds: float = 0.0) -> bool:
        """Wait, for ever while nobody may send; say whether to send more."""
        self.ended.wait(seconds)
        self.goes.wait()
        return not self.ended.is_set()

    def faults(self) -> list[str]:
        """What clients got that they must not get."""
        allowed = {
            "valid": {200},
            "ping": {200},
            "large": {200, 503},
            "slow": {200},
            "invalid": {200, 400, 404, 405, 406, 408, 411, 413, 414, 415, 431, 503},
        }
        return [
            f"{count} {kind} requests got {status}"
            for (kind, status), count in sorted(self.got.items())
            if status not in allowed[kind]
        ]

    def __str__(self) -> str:
        return ", ".join(f"{count} {kind} {status}" for (kind, status), count in sorted(self.got.items()))


def mixed(
    process: int,
    port: int,
    seconds: float,
    every: float,
    tell: Callable[[Window], None],
    kinds: Sequence[Kind] | None = None,
) -> Mix:
    """Send mixed requests, with a pause after each window in which one client sends valid ones alone.

    Args:
        process: The server.
        port: Where it listens.
        seconds: How long, without the pauses.
        every: Seconds of a window.
        tell: Gets each window.
        kinds: The clients; by default all that there are.
    """
    mix = Mix()
    with _running(mix, port, kinds or (*STEADY, invalid, large, slow, gone)):
        began = time.monotonic()
        for _ in range(int(seconds / every)):
            mix.goes.set()
            time.sleep(every)
            mix.goes.clear()
            wait_until_quiet(port)
            tell(_window(mix, process, port, time.monotonic() - began))
    return mix


@contextlib.contextmanager
def _running(mix: Mix, port: int, kinds: Sequence[Kind]) -> Iterator[None]:
    threads = [threading.Thread(target=kind, args=(mix, port), daemon=True) for kind in kinds]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        mix.ended.set()
        mix.goes.set()
        for thread in threads:
            thread.join(_SECONDS)


def _window(mix: Mix, process: int, port: int, seconds: float) -> Window:
    valid, mix.valid = sorted(mix.valid), []
    pings, mix.pings = sorted(mix.pings), []
    alone, taken = quiet(process, port), taken_by(process)
    return Window(
        seconds,
        taken.megabytes,
        taken.descriptors,
        len(valid),
        *(1000 * _quantile(valid, share) for share in (0.5, 0.99)),
        1000 * _quantile(pings, 0.99),
        alone,
    )


def _quantile(values: list[float], share: float) -> float:
    return values[int(share * (len(values) - 1))] if values else float("inf")


def valid(mix: Mix, port: int) -> None:
    """Send valid requests, and check what comes back."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    while mix.goes_on():
        began = time.perf_counter()
        try:
            connection.request("POST", "/invocations", RECORD, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            right = answer.read() == b"setosa\n"
            mix.got["valid", answer.status if right else -1] += 1
        except (OSError, http.client.HTTPException):
            mix.got["valid", 0] += 1
            connection.close()
        mix.valid.append(time.perf_counter() - began)
    connection.close()


def ping(mix: Mix, port: int) -> None:
    """Ask for the health."""
    while mix.goes_on(0.2):
        began = time.perf_counter()
        mix.got["ping", ask_http(port, "GET", "/ping", None, _SECONDS)] += 1
        mix.pings.append(time.perf_counter() - began)


def invalid(mix: Mix, port: int) -> None:
    """Send what `make fuzz` sends, without the longest bodies."""
    number = 2_000_000
    while mix.goes_on(0.02):
        asked = case(number, rare=False)
        number += 1
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.putrequest(asked.method, asked.path, skip_accept_encoding=True)
            for name, value in {**asked.headers, "Content-Length": str(len(asked.body))}.items():
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(asked.body)
            answer = connection.getresponse()
            answer.read()
            mix.got["invalid", answer.status] += 1


def large(mix: Mix, port: int) -> None:
    """Send bodies of 5.1 MB."""
    while mix.goes_on(0.5):
        mix.got["large", ask(port, invocation(LARGE))] += 1


def slow(mix: Mix, port: int) -> None:
    """Send bodies byte by byte."""
    while mix.goes_on(0.1):
        with connect(port) as client:
            request = invocation(RECORD)
            client.sendall(request[: -len(RECORD)])
            for byte in RECORD:
                client.sendall(bytes([byte]))
                time.sleep(0.03)
            mix.got["slow", status_of(client)] += 1


def gone(mix: Mix, port: int) -> None:
    """Send a part of a request, or all, and do not wait for the response."""
    for number in range(1 << 60):
        if not mix.goes_on(0.1):
            return
        request = invocation(LARGE if number % 10 == 0 else RECORD)
        with connect(port) as client, contextlib.suppress(OSError):
            client.sendall(request[: len(request) * (number % 5) // 4])


Kind = Callable[[Mix, int], None]
# What the windows measure.
STEADY: tuple[Kind, ...] = (*[valid] * _VALID_CALLERS, ping)
