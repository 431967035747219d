"""Many clients at once that hold descriptors, memory or threads: others are served, and what was taken comes back."""

from __future__ import annotations

import contextlib
import errno
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from container_soak.clients import close_all, crowd
from patience import PATIENCE_SECONDS
from sagemaker_contract.errors import RequestError, is_refused_by_system
from sagemaker_contract.formats.limits import DEFAULT
from sagemaker_contract.formats.parquet import Reader
from sagemaker_contract.serving.budget import Gate
from sagemaker_contract.serving.memory import Crowds
from sagemaker_contract.serving.worker import _thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Server, StartServer

RECORD = "5.1,3.5,1.4,0.2"
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
"""


@pytest.fixture
def serve(start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path) -> Callable[..., Server]:
    """Start a server with lines added to its algorithm, and other values for some of its lines."""

    def start(algorithm: str = "", module: str = "", old: str = "", new: str = "", **settings: str) -> Server:
        container = light_container(algorithm)
        if module:
            path = container / "sagemaker_contract" / "serving" / module
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "file").touch()
        return start_server(tmp_path, container, **settings).wait_until_ready()

    return start


@pytest.mark.parametrize(
    "sent",
    [b"POST /invocations HT", b"", HEAD + b"Content-Length: 20\r\n\r\n5.1,"],
    ids=["half heads", "nothing", "half bodies"],
)
def test_clients_that_stall_take_no_descriptor_from_others(serve: Callable[..., Server], sent: bytes) -> None:
    server = serve(FEW_DESCRIPTORS)
    clients = crowd(server.port, 300, sent)
    assert [(server.ping(), server.invoke(RECORD).status) for _ in range(20)] == [(200, 200)] * 20
    close_all(clients)


def test_heads_of_all_clients_are_limited_together(serve: Callable[..., Server]) -> None:
    server = serve("", "connections.py", "_MOST_OTHER_BYTES_TOGETHER = 16", "_MOST_OTHER_BYTES_TOGETHER = 1e-6")
    with connected(server) as long, connected(server) as short:
        long.sendall(HEAD + b"X-Long: " + b"y" * 5000)
        assert long.recv(4096).startswith(b"HTTP/1.1 400 ")
        short.sendall(HEAD + b"X-Short: " + b"y" * 500)
        short.sendall(b"y\r\nContent-Length: 4\r\n\r\n1,2\n")
        assert short.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_head_that_comes_at_once_is_limited(serve: Callable[..., Server]) -> None:
    server = serve()
    with connected(server) as client:
        client.sendall(HEAD + b"X-Long: " + b"y" * 40_000)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")


PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


def test_requests_before_the_first_response_are_limited(serve: Callable[..., Server]) -> None:
    server = serve()
    with connected(server) as few, connected(server) as many:
        few.sendall(PING * 20)
        assert responses(few, 20) == 20
        many.sendall(PING * 2_000)
        assert responses(many, 2_000) < 2_000
    assert "too many requests before the first response" in server.log.read_text()


def test_request_whose_connection_was_closed_for_those_behind_it_is_no_error(serve: Callable[..., Server]) -> None:
    server = serve(SLOW.replace("sleep(5)", "sleep(2); print('predicted', flush=True)"))
    with connected(server) as client:
        client.sendall(HEAD + b"Content-Length: 4\r\n\r\n1,2\n" + PING * 2_000)
        server.wait_for_log("too many requests before the first response")
        server.wait_for_log("predicted")
    # This is answered after what became of the first one.
    assert server.invoke(RECORD).status == 200
    assert "Exception in ASGI application" not in server.log.read_text()


def responses(client: socket.socket, most: int) -> int:
    received = b""
    with contextlib.suppress(ConnectionError):
        while received.count(b"HTTP/1.1 200 ") < most and (part := client.recv(65536)):
            received += part
    return received.count(b"HTTP/1.1 200 ")


def test_body_after_a_request_that_waits_is_left_in_the_kernel(serve: Callable[..., Server]) -> None:
    server = serve(SLOW)
    body = b"1,2\n" * 15_000
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connected(server) as client:
        client.sendall(HEAD + b"Content-Length: 4\r\n\r\n1,2\n")
        client.settimeout(1)
        # The server reads what it reads at once, and the system keeps a few megabytes.
        with pytest.raises(TimeoutError):
            client.sendall(request * 500)
    assert server.ping() == 200


SLOW = """
def predict(model, records):
    import time
    time.sleep(5)
    return [model] * len(records)
"""


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)


RAISES = """
def predict(model, records):
    raise {}
"""


@pytest.mark.parametrize(
    "error",
    ["MemoryError", 'RuntimeError("can\'t start new thread")', "OSError(24, 'Too many open files')"],
)
def test_request_for_which_the_system_has_no_resources_gets_503(serve: Callable[..., Server], error: str) -> None:
    refused = serve(RAISES.format(error)).invoke(RECORD)
    assert (refused.status, refused.error) == (503, "the server has no resources for this request; try again")
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EPIPE])
def test_other_errors_are_no_refusals(number: int) -> None:
    assert not is_refused_by_system(OSError(number, "x"))
    assert not is_refused_by_system(RuntimeError("x"))


def refuse(error: Exception) -> Callable[..., None]:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


@pytest.mark.parametrize(
    ("what", "owner", "error"),
    [
        ("Popen", subprocess, BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")),
        ("start", threading.Timer, RuntimeError("can't start new thread")),
    ],
)
def test_parquet_without_a_process_or_a_thread_gets_503(
    monkeypatch: pytest.MonkeyPatch, what: str, owner: object, error: Exception
) -> None:
    reader = Reader()
    monkeypatch.setattr(owner, what, refuse(error))
    with pytest.raises(RequestError) as caught:
        reader.read(b"PAR1", DEFAULT)
    assert caught.value.status == 503
    assert reader.process is None


def test_threads_run_before_they_are_needed() -> None:
    thread = _thread("early")
    assert any(one.name.startswith("early") for one in threading.enumerate())
    thread.shutdown()


def test_watch_outlives_what_it_cannot_do(serve: Callable[..., Server]) -> None:
    failing = 'raise OSError(24, "Too many open files")'
    server = serve("", "worker.py", "reader.end_if_idle()", failing, SAGEMAKER_MODEL_SERVER_TIMEOUT="1")
    # By then it would count as hung.
    server.wait_for_log("could not look after its connections", more_than=4)
    assert server.invoke(RECORD).status == 200
    assert "the worker is replaced" not in server.log.read_text()


def test_memory_is_given_back_after_many_connections() -> None:
    crowds, gate = Crowds(), Gate(10)
    assert [crowds.have_gone(count, 0, gate) for count in (0, 100, 5_000, 4_000, 1_000, 900, 0)] == [
        *(False, False, False, False),
        *(True, False, True),
    ]


def test_memory_is_given_back_after_large_bodies() -> None:
    crowds, gate = Crowds(), Gate(10)
    gate.passed = 3
    assert [crowds.have_gone(0, 0, gate) for _ in range(2)] == [True, False]


def test_memory_is_given_back_after_large_responses() -> None:
    crowds, gate = Crowds(), Gate(10)
    assert [crowds.have_gone(0, held, gate) for held in (50_000_000, 40_000_000, 30_000_000, 30_000_000)] == [
        *(False, False, True, False),
    ]


def test_memory_is_given_back_again_when_the_last_have_gone() -> None:
    crowds, gate = Crowds(), Gate(10)
    looks = [(500, 30_000_000), (70, 14_000_000), (60, 9_000_000), (50, 0), (0, 0)]
    assert [crowds.have_gone(count, held, gate) for count, held in looks] == [False, True, False, True, False]


def test_few_connections_take_no_memory_that_matters() -> None:
    crowds, gate = Crowds(), Gate(10)
    assert not any(crowds.have_gone(count, 0, gate) for count in (100, 0, 150, 0))
