"""Clients that stop in the middle: of a head, a body, a response. They lose their connection, and nobody else's."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Server, StartServer

HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
# 20 MB in all: more than the buffers of the system take.
LONG_ANSWERS = """
def predict(model, records):
    return ["x" * 1000] * len(records)
"""
MANY_RECORDS = b"1\n" * 20_000
LARGE = HEAD + b"Content-Length: %d\r\n\r\n" % len(MANY_RECORDS) + MANY_RECORDS


@pytest.fixture
def serve(start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path) -> Callable[..., Server]:
    """Start a server with long responses, some of whose limits are one second."""

    def start(**limits: str) -> Server:
        container = light_container(LONG_ANSWERS)
        for limit, module in limits.items():
            path = container / "sagemaker_contract" / "serving" / f"{module}.py"
            lines = path.read_text().split("\n")
            (number,) = (number for number, line in enumerate(lines) if line.startswith(f"{limit} = "))
            lines[number] = f"{limit} = 1"
            path.write_text("\n".join(lines))
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "file").touch()
        return start_server(tmp_path, container).wait_until_ready()

    return start


@contextlib.contextmanager
def client(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
        yield connection


def is_closed(connection: socket.socket) -> bool:
    """Wait for the end of a connection; what still comes is no response."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"POST /invocations HT", HEAD])
def test_head_that_is_not_finished_ends_the_connection(serve: Callable[..., Server], sent: bytes) -> None:
    server = serve(_HEAD_SECONDS="connections")
    with client(server) as connection:
        connection.sendall(sent)
        assert is_closed(connection)


def test_connection_without_a_request_ends(serve: Callable[..., Server]) -> None:
    server = serve(IDLE_SECONDS="connections")
    with client(server) as connection:
        assert is_closed(connection)


def test_connection_may_be_idle_between_requests(serve: Callable[..., Server]) -> None:
    server = serve(_HEAD_SECONDS="connections", _REST_SECONDS="connections", _READING_SECONDS="connections")
    with client(server) as idle, client(server) as stalled:
        assert ping(idle)
        stalled.sendall(b"GET /ping")
        # The limits are over when another connection has reached them.
        assert is_closed(stalled)
        assert ping(idle)


def ping(connection: socket.socket) -> bool:
    connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def send_until_closed(connection: socket.socket, part: bytes) -> None:
    while True:
        connection.sendall(part)


@pytest.mark.parametrize(
    ("begin", "part"),
    [
        (b"GET /ping HTTP/1.1\r\nHost: x\r\n", b"X-More: " + b"y" * 1000 + b"\r\n"),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Long: ", b"y" * 10_000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n5\r\n0\r\nX-Trailer: ", b"y" * 10_000),
    ],
    ids=["headers", "one header", "trailer"],
)
def test_headers_without_end_are_refused(serve: Callable[..., Server], begin: bytes, part: bytes) -> None:
    server = serve()
    with client(server) as connection:
        connection.sendall(begin)
        with pytest.raises(ConnectionError):
            send_until_closed(connection, part)
    assert server.ping() == 200


def test_response_that_is_not_read_ends_the_connection(serve: Callable[..., Server]) -> None:
    server = serve(_READING_SECONDS="connections")
    with client(server) as connection:
        connection.sendall(LARGE)
        server.wait_for_log("a response was not read")
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(1 << 20):
                received += len(chunk)
        assert received < 20_000_000
    assert server.invoke("1").status == 200


def test_response_that_is_read_slowly_arrives(serve: Callable[..., Server]) -> None:
    server = serve()
    assert len(server.invoke(MANY_RECORDS).body) == 20_020_000


def test_client_that_does_not_read_delays_no_refusal_of_others(serve: Callable[..., Server]) -> None:
    server = serve(_BODY_SECONDS="refusals")
    with client(server) as deaf, client(server) as slow:
        # A large response, unread, and half a second request.
        deaf.sendall(LARGE + HEAD + b"Content-Length: 15\r\n\r\n5.1,")
        slow.sendall(HEAD + b"Content-Length: 15\r\n\r\n5.1,")
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
    assert server.invoke("1").status == 200
    assert "the worker is replaced" not in server.log.read_text()
