"""What one valid request takes while no other is sent.

Other programs on the machine change it little: processor time counts only while a process runs, and of many requests
the quickest are not interrupted. But programs that share a core or a cache make each other slower while they run. A
loop in the same moments tells about how much; not exactly, since it needs less memory than the server.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from container_fuzz.watch import processes_of

from container_soak.clients import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

_REQUESTS = 200
# The kernel distributes them among the workers.
_CONNECTIONS = 8
_QUICKEST = 0.05
_LOOP = 5_000
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Quiet:
    """Milliseconds, of many requests one after the other.

    Attributes:
        cpu: Processor time of all processes of the server, for each request.
        quickest: How long a request takes; one in twenty is quicker.
        loop: Processor time of a loop between the requests: how slow the processor is at this time.
    """

    cpu: float
    quickest: float
    loop: float


def quiet(process: int, port: int) -> Quiet:
    """Measure; nobody else may send requests."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(contextlib.closing(_connected(port))) for _ in range(_CONNECTIONS)]
        seconds, loops = [], []
        began = _cpu(process)
        for connection in itertools.islice(itertools.cycle(connections), _REQUESTS):
            seconds.append(_seconds_of_request(connection))
            loops.append(_seconds_of_loop())
        cpu = _cpu(process) - began
    return Quiet(
        1000 * cpu / _REQUESTS,
        1000 * sorted(seconds)[int(_QUICKEST * _REQUESTS)],
        1000 * sorted(loops)[len(loops) // 2],
    )


def wait_until_quiet(port: int) -> None:
    """Wait until every request has its response."""
    deadline, times = time.monotonic() + _PATIENCE_SECONDS, 0
    # A client may just be sending one.
    while times < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
        times = times + 1 if _waiting(port) <= 1 else 0


def _connected(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    connection.connect()
    return connection


def _seconds_of_request(connection: http.client.HTTPConnection) -> float:
    began = time.perf_counter()
    connection.request("POST", "/invocations", RECORD, {"Content-Type": "text/csv"})
    connection.getresponse().read()
    return time.perf_counter() - began


def _seconds_of_loop() -> float:
    began = time.thread_time()
    sum(range(_LOOP))
    return time.thread_time() - began


def _waiting(port: int) -> float:
    """How many requests have no response, with the one that asks."""
    with contextlib.closing(_connected(port)) as connection:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("serve_waiting_requests "))


def _cpu(process: int) -> float:
    """Seconds of processor time of all threads of a server, to the nanosecond."""
    return sum(_nanoseconds(process)) / 1e9


def _nanoseconds(process: int) -> Iterator[int]:
    for folder in processes_of(process):
        with contextlib.suppress(OSError):
            for thread in (folder / "task").iterdir():
                with contextlib.suppress(OSError):
                    yield int((thread / "schedstat").read_text().split()[0])
