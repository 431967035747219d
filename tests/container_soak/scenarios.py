"""The abuses, and what must hold under each."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from container_soak.clients import (
    CLOSED,
    RECORD,
    SILENT,
    ask,
    at_once,
    close_all,
    connect,
    crowd,
    in_chunks,
    invocation,
    left_open,
    status_of,
    wait_until_closed,
)
from container_soak.measure import children_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from container_soak.probe import Health

LARGE = RECORD * (5 * 1024 * 1024 // len(RECORD))
MOST_WORKER_MEGABYTES = 400


@dataclass
class Abused:
    """A server under abuse.

    Attributes:
        process: Its process id.
        port: Where it listens.
        group: The group of its processes, if the scenario wants one.
    """

    process: int
    port: int
    group: Path | None

    def worker(self) -> int:
        """One of its workers."""
        return min(children_of(self.process))


@dataclass(frozen=True)
class Scenario:
    """One abuse.

    Attributes:
        name: Its name on the command line.
        what: What is done.
        abuse: Does it; gives how often which status came back.
        statuses: Those that may come back; `CLOSED` where connections are held until the server closes them.
        megabytes: What the server may take more than before.
        workers: How many workers it has.
        ends_worker: Whether a worker is meant to end.
        refuses_pings: Whether /ping may be no 200.
        ping_seconds: How long /ping may take.
        overload: Whether more requests wait than the server keeps, so that small ones get 503 too.
        descriptors: How many file descriptors each process may have.
        controller: The kind of group of processes that it needs.
        settings: Environment variables of the server.
        algorithm: Lines added to algorithm.py.
    """

    name: str
    what: str
    abuse: Callable[[Abused], Counter[int]]
    statuses: frozenset[int] = frozenset({200, 503})
    megabytes: float = 2 * MOST_WORKER_MEGABYTES
    workers: int = 2
    ends_worker: bool = False
    refuses_pings: bool = False
    ping_seconds: float = 2.0
    overload: bool = False
    descriptors: int | None = None
    controller: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    algorithm: str = ""

    def faults_of_clients(self, statuses: Counter[int], health: Health) -> list[str]:
        """What is wrong with what the clients got."""
        found = [
            f"{count} clients got {status}"
            for status, count in statuses.items()
            if count and status not in self.statuses
        ]
        slowest = max(health.pings, default=float("inf"))
        if slowest > self.ping_seconds:
            late = sum(1 for seconds in health.pings if seconds > self.ping_seconds)
            found.append(f"{late} of {len(health.pings)} pings took up to {slowest:.1f} s")
        if health.refused and not self.refuses_pings:
            found.append(f"pings that were no 200: {health.refused}")
        if health.lies and not (self.overload and all(lie.startswith("503") for lie in health.lies)):
            found.append(f"/ping was 200, but {len(health.lies)} invocations were not: {', '.join(health.lies[:3])}")
        return found


def _connections(server: Abused) -> Counter[int]:
    """All of them idle for a while, then all with a request at the same time."""
    clients = crowd(server.port, 10_000)
    time.sleep(10)
    for client in clients:
        client.setblocking(True)
        client.sendall(invocation(RECORD))
    statuses = Counter(status_of(client) for client in clients)
    close_all(clients)
    return statuses


def _large_bodies(server: Abused) -> Counter[int]:
    return at_once(500, lambda: ask(server.port, invocation(LARGE)))


def _chunked_bodies(server: Abused) -> Counter[int]:
    body = in_chunks(LARGE)
    return at_once(300, lambda: ask(server.port, invocation(body, chunked=True)))


def _endless_bodies(server: Abused) -> Counter[int]:
    body = in_chunks(LARGE, ends=False)
    return at_once(200, lambda: ask(server.port, invocation(body, chunked=True)))


def _held(server: Abused, count: int, sent: bytes, seconds: float, *, buffer: int | None = None) -> Counter[int]:
    """Hold connections until the server has closed them; `seconds` is how long it may do nothing on one."""
    clients = crowd(server.port, count, sent, buffer=buffer)
    still_open = wait_until_closed(server.port, clients, seconds)
    close_all(clients)
    return Counter({CLOSED: count - still_open, SILENT: still_open})


def _half_heads(server: Abused) -> Counter[int]:
    return _held(server, 10_000, b"POST /invocations HTTP/1.1\r\nX-Half: " + b"y" * 30_000, 40)


def _half_bodies(server: Abused) -> Counter[int]:
    return _held(server, 4_000, invocation(b"1" * 60_000, length=62_000), 80)


def _deaf_clients(server: Abused) -> Counter[int]:
    return _held(server, 200, invocation(LARGE) + invocation(RECORD, length=50), 140, buffer=4096)


def _deaf_to_many(server: Abused) -> Counter[int]:
    return _held(server, 1_000, invocation(RECORD * 4_000) * 40, 140, buffer=4096)


def _few_descriptors(server: Abused) -> Counter[int]:
    """Half heads, nothing at all, half bodies, more of each than there are descriptors."""
    statuses: Counter[int] = Counter()
    for sent in (b"POST /invocations HT", b"", invocation(RECORD, length=50)):
        clients = crowd(server.port, 700, sent)
        time.sleep(20)
        statuses[CLOSED] += len(clients) - left_open(clients)
        close_all(clients)
    return statuses


def _busy_descriptors(server: Abused) -> Counter[int]:
    return at_once(1_000, lambda: ask(server.port, invocation(RECORD)))


def _no_processes(server: Abused) -> Counter[int]:
    """The group may have no more processes and threads than it has; then a worker is lost."""
    assert server.group is not None
    limit = server.group / "pids.max"
    limit.write_text((server.group / "pids.current").read_text())
    # Both need a thread or a process: a long body, and Parquet.
    statuses = Counter(ask(server.port, invocation(RECORD * 5_000)) for _ in range(20))
    statuses += Counter(
        ask(server.port, invocation(b"PAR1", more="X: 1\r\n").replace(b"text/csv", b"application/x-parquet"))
        for _ in range(4)
    )
    os.kill(server.worker(), signal.SIGKILL)
    limit.write_text("1")
    time.sleep(5)
    statuses += Counter(ask(server.port, invocation(RECORD)) for _ in range(200))
    limit.write_text("max")
    time.sleep(20)
    return statuses


def _stopped_worker(server: Abused) -> Counter[int]:
    """As if it hung where Python cannot tell; its kept connections are lost, new ones are not."""
    os.kill(server.worker(), signal.SIGSTOP)
    statuses: Counter[int] = Counter()
    until = time.monotonic() + 40
    while time.monotonic() < until:
        statuses += at_once(20, lambda: ask(server.port, invocation(RECORD)))
        time.sleep(0.5)
    return statuses


def _interpreter_held(server: Abused) -> Counter[int]:
    """An algorithm that never ends and never gives the interpreter lock away."""
    hanging = connect(server.port)
    hanging.sendall(invocation(b"99,1,1,1\n"))
    statuses: Counter[int] = Counter()
    until = time.monotonic() + 40
    while time.monotonic() < until:
        statuses += at_once(20, lambda: ask(server.port, invocation(RECORD)))
        time.sleep(0.5)
    hanging.close()
    return statuses


def _memory_limit(server: Abused) -> Counter[int]:
    assert server.group is not None
    (server.group / "memory.limit_in_bytes").write_text(str(1024 * 1024 * 1024))
    return at_once(100, lambda: ask(server.port, invocation(LARGE)))


HOLDS_INTERPRETER = """
_predict = predict
def predict(model, records):
    if records[0][0] == 99:
        import re
        re.match("(a+)+$", "a" * 64 + "b")
    return _predict(model, records)
"""
_QUICK = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "5"}
_CLOSED = frozenset({CLOSED})
SCENARIOS = (
    Scenario("connections", "10,000 connections, idle, then with a request each", _connections, overload=True),
    Scenario("large-bodies", "500 bodies of 5 MB at once", _large_bodies),
    Scenario("chunked-bodies", "300 bodies of 5 MB in chunks at once", _chunked_bodies),
    Scenario("endless-bodies", "200 bodies of 5 MB in chunks that never end", _endless_bodies, frozenset({408, 503})),
    Scenario("half-heads", "10,000 heads of 30 KB that never end", _half_heads, _CLOSED),
    Scenario("half-bodies", "4,000 bodies of 60 KB that never end", _half_bodies, _CLOSED),
    Scenario("deaf", "200 clients that do not read 7 MB each, and send half a request more", _deaf_clients, _CLOSED),
    Scenario("deaf-to-many", "1,000 clients that send 40 requests each and read nothing", _deaf_to_many, _CLOSED),
    Scenario(
        "descriptors",
        "700 clients that stall, with 256 descriptors a process",
        _few_descriptors,
        _CLOSED,
        descriptors=256,
    ),
    Scenario("busy-descriptors", "1,000 requests at once with 256 descriptors", _busy_descriptors, descriptors=256),
    Scenario(
        "processes",
        "no process and no thread may be started, and a worker is lost",
        _no_processes,
        frozenset({200, 400, 503}),
        ends_worker=True,
        controller="pids",
    ),
    Scenario("stopped", "a worker is stopped", _stopped_worker, ends_worker=True, settings=_QUICK),
    Scenario(
        "interpreter",
        "a prediction never ends and holds the interpreter lock",
        _interpreter_held,
        ends_worker=True,
        settings=_QUICK,
        algorithm=HOLDS_INTERPRETER,
    ),
    Scenario(
        "interpreter-alone",
        "the same with one worker",
        _interpreter_held,
        frozenset({200, 503, CLOSED}),
        workers=1,
        ends_worker=True,
        refuses_pings=True,
        ping_seconds=7.0,
        settings=_QUICK,
        algorithm=HOLDS_INTERPRETER,
    ),
    Scenario("memory", "100 bodies of 5 MB with a limit of 1 GB for all processes", _memory_limit, controller="memory"),
)
