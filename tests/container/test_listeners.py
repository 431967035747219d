"""Connections that wait for a worker which hangs: another one accepts them, or they get 503."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from container_fuzz.watch import processes_of
from sagemaker_contract.errors import ConfigurationError
from sagemaker_contract.serving.draining import wait_until_accepted
from sagemaker_contract.serving.listeners import Listeners, is_listening, stop_listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Server, StartServer

RECORD = "5.1,3.5,1.4,0.2"


@pytest.fixture
def start(start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path) -> Callable[..., Server]:
    def start(**settings: str) -> Server:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "file").touch()
        return start_server(tmp_path, light_container(""), **settings).wait_until_ready()

    return start


def workers(server: Server) -> list[int]:
    return [int(folder.name) for folder in processes_of(server.process.pid)][1:]


def test_worker_that_hangs_keeps_no_new_connection(start: Callable[..., Server]) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="2", SAGEMAKER_MODEL_SERVER_TIMEOUT="600")
    stopped = workers(server)[0]
    os.kill(stopped, signal.SIGSTOP)
    # Half of them go to it.
    with ThreadPoolExecutor(30) as clients:
        replies = list(clients.map(server.invoke, [RECORD] * 30))
    assert [reply.status for reply in replies] == [200] * 30
    os.kill(stopped, signal.SIGCONT)
    assert [server.invoke(RECORD).status for _ in range(30)] == [200] * 30


def test_clients_of_the_only_worker_get_503_when_it_hangs(start: Callable[..., Server]) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_TIMEOUT="2")
    (worker,) = workers(server)
    os.kill(worker, signal.SIGSTOP)
    refused = server.request("GET", "/ping")
    assert (refused.status, refused.error) == (503, "no worker responds; try again")
    server.wait_for_log("another starts")
    server.wait_for_ping(200)
    assert server.invoke(RECORD).status == 200


def test_nobody_waits_for_a_worker_that_is_not_there(start: Callable[..., Server], tmp_path: Path) -> None:
    server = start()
    (tmp_path / "model" / "file").unlink()
    os.kill(workers(server)[0], signal.SIGKILL)
    server.wait_for_log("another starts")
    assert server.ping() == 0
    # What it cannot load now, it may load later: the server goes on.
    server.wait_for_log("there is no model", more_than=1)
    (tmp_path / "model" / "file").touch()
    server.wait_for_ping(200)
    assert server.invoke(RECORD).status == 200


@pytest.fixture
def listener(free_port: int) -> Iterator[socket.socket]:
    listeners = Listeners("127.0.0.1", free_port, 2)
    listeners.of(0).listen()
    yield listeners.of(0)
    for number in range(2):
        listeners.of(number).close()


def test_listener_is_not_closed_while_a_connection_waits(listener: socket.socket) -> None:
    async def scenario() -> None:
        waiting = asyncio.ensure_future(wait_until_accepted(listener, 60))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        listener.accept()[0].close()
        await waiting

    with socket.create_connection(listener.getsockname()):
        asyncio.run(scenario())


def test_listener_is_closed_when_its_time_is_over(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()):
        asyncio.run(wait_until_accepted(listener, 0.1))


def test_listener_that_stopped_can_listen_again(listener: socket.socket) -> None:
    stop_listening(listener)
    stop_listening(listener)
    assert not is_listening(listener)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(listener.getsockname())
    listener.listen()
    with socket.create_connection(listener.getsockname()):
        assert is_listening(listener)


def test_clients_that_wait_get_the_response_without_being_read(free_port: int) -> None:
    listeners = Listeners("127.0.0.1", free_port, 1)
    listeners.of(0).listen()
    with socket.create_connection(("127.0.0.1", free_port)) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\n\r\n" + b"x" * 100_000)
        listeners.refuse(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
    listeners.of(0).close()


def test_port_that_is_in_use_is_refused(free_port: int) -> None:
    listeners = Listeners("127.0.0.1", free_port, 3)
    listeners.of(2).listen()
    with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1 port {free_port}"):
        Listeners("127.0.0.1", free_port, 3)
    for number in range(3):
        listeners.of(number).close()


def test_error_of_the_refusal_is_json() -> None:
    from sagemaker_contract.serving.supervisor import _REFUSAL

    head, _, body = _REFUSAL.partition(b"\r\n\r\n")
    assert json.loads(body) == {"error": "no worker responds; try again"}
    assert b"content-length: %d" % len(body) in head
