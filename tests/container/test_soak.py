"""The verdict of `make soak-serving`: it finds what grows, and nothing in a server that does not."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import socket
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from container_soak.__main__ import LEAKS
from container_soak.clients import CLOSED, crowd, wait_until_closed
from container_soak.drift import LEAST_WINDOWS, Window, drift
from container_soak.probe import Health
from container_soak.quiet import Quiet
from container_soak.scenarios import SCENARIOS
from container_soak.soak import STEADY as STEADY_CLIENTS
from container_soak.soak import Mix, mixed
from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import StartServer

STEADY = Window(0, 340.0, 50, 3_000, 2.0, 10.0, 10.0, Quiet(0.6, 1.0, 0.1))


def windows(**growth: float) -> list[Window]:
    """Forty windows with noise; ``growth`` is what is added from the first to the last."""
    rng = random.Random(0)
    made = []
    for number in range(40):
        noisy = {name: getattr(STEADY, name) * rng.uniform(0.9, 1.1) for name in ("megabytes", "descriptors", "p50")}
        alone = {name: getattr(STEADY.quiet, name) * rng.uniform(0.9, 1.1) for name in ("cpu", "quickest", "loop")}
        for name, amount in growth.items():
            (alone if name in alone else noisy)[name] += amount * number / 39
        made.append(dataclasses.replace(STEADY, seconds=number, **noisy, quiet=Quiet(**alone)))
    return made


def test_steady_server_has_no_drift() -> None:
    assert drift(windows()) == []


@pytest.mark.parametrize(
    ("growth", "found"),
    [
        ({"megabytes": 100.0}, "memory in MB grew by"),
        ({"descriptors": 20.0}, "file descriptors grew by"),
        ({"cpu": 0.6}, "the processor time of a valid request grew by"),
        ({"quickest": 1.0}, "the time of a valid request grew by"),
    ],
)
def test_growth_is_drift(growth: dict[str, float], found: str) -> None:
    (fault,) = drift(windows(**growth))
    assert fault.startswith(found)


def test_machine_that_becomes_busy_is_no_drift() -> None:
    assert drift(windows(p50=30.0)) == []
    assert drift(windows(cpu=0.6, quickest=1.0, loop=0.1)) == []


def test_single_peak_is_no_drift() -> None:
    peak = windows()
    peak[-1] = dataclasses.replace(STEADY, megabytes=900.0, descriptors=500, quiet=Quiet(9.0, 30.0, 0.1))
    assert drift(peak) == []


def test_too_few_windows_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="too few to find a drift"):
        drift([STEADY] * (LEAST_WINDOWS - 1))


@pytest.mark.parametrize(
    ("leak", "found"),
    [
        ("memory", "memory in MB"),
        ("descriptors", "file descriptors"),
        ("time", "the processor time"),
        ("waits", "the time"),
    ],
)
def test_leak_of_a_server_is_found(
    start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path, leak: str, found: str
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "file").touch()
    fast = LEAKS[leak]
    for slowly, quickly in (("20_000", "400_000"), ("% 50", "% 1")):
        fast = fast.replace(slowly, quickly)
    server = start_server(tmp_path, light_container(fast)).wait_until_ready()
    seen: list[Window] = []
    # Until it is seen: a busy machine sends fewer requests, and so leaks less.
    while not any(fault.startswith(found) for fault in faults(seen)):
        mixed(server.process.pid, server.port, 5, 0.5, seen.append, STEADY_CLIENTS)
        assert len(seen) < 200, "\n".join(map(str, seen))


def faults(seen: list[Window]) -> list[str]:
    return drift(seen) if len(seen) >= LEAST_WINDOWS else []


@contextlib.contextmanager
def deaf_clients(act: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[socket.socket]]]:
    """Two clients that read nothing, of a server that does something with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        port = listener.getsockname()[1]
        clients = crowd(port, 2, b"x", buffer=4096)
        for one in clients:
            stack.enter_context(one)
            connection, _ = listener.accept()
            stack.enter_context(connection)
            act(connection)
        yield port, clients


def fill(connection: socket.socket) -> None:
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            connection.send(b"x" * 65536)


def fill_and_close(connection: socket.socket) -> None:
    connection.recv(1)
    fill(connection)
    connection.close()


def test_connections_of_deaf_clients_that_a_server_keeps_are_found() -> None:
    with deaf_clients(fill) as (port, clients):
        assert wait_until_closed(port, clients, 1) == 2


def test_connections_of_deaf_clients_that_a_server_has_closed_are_none() -> None:
    with deaf_clients(fill_and_close) as (port, clients):
        assert wait_until_closed(port, clients, PATIENCE_SECONDS) == 0


def test_what_clients_must_not_get_is_found() -> None:
    mix = Mix(Counter({("valid", 200): 9, ("valid", 503): 1, ("invalid", 400): 5, ("invalid", 500): 2, ("slow", 0): 1}))
    assert mix.faults() == ["2 invalid requests got 500", "1 slow requests got 0", "1 valid requests got 503"]


def test_what_a_scenario_must_not_see_is_found() -> None:
    (scenario,) = (one for one in SCENARIOS if one.name == "large-bodies")
    good = Health([0.1, 0.2], {}, [], 9)
    assert scenario.faults_of_clients(Counter({200: 9, 503: 491}), good) == []
    bad = Health([0.1, 2.5], {"503": 1}, ["503 after 0.1 s"], 9)
    assert scenario.faults_of_clients(Counter({200: 9, CLOSED: 1}), bad) == [
        "1 clients got 0",
        "1 of 2 pings took up to 2.5 s",
        "pings that were no 200: {'503': 1}",
        "/ping was 200, but 1 invocations were not: 503 after 0.1 s",
    ]
