"""SIGTERM under load: whatever was sent is answered."""

from __future__ import annotations

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS
from serving_benchmark.drain import drain_under_load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Server, StartServer, Trained

RECORD = b"5.1,3.5,1.4,0.2"
STUCK = """
_predict = predict
def predict(model, records):
    import time
    time.sleep(0.005)
    if records.max() >= 100:
        print("predicting", flush=True)
        time.sleep(60)
    return _predict(model, records)
"""


HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
LARGE = b"100,1,1,1\n" * 60_000


def drain(server: Server, *, keep_alive: bool) -> dict[str, float]:
    return drain_under_load(
        server.port,
        server.process.terminate,
        lambda: server.process.wait(PATIENCE_SECONDS),
        RECORD,
        16,
        keep_alive=keep_alive,
    )


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_44_no_request_is_lost_under_load(start_server: StartServer, trained: Trained, keep_alive: bool) -> None:
    server = start_server(trained.job.base, SAGEMAKER_MODEL_SERVER_WORKERS="2").wait_until_ready()
    outcome = drain(server, keep_alive=keep_alive)
    assert outcome["answered"] > 100
    assert (outcome["unanswered"], outcome["not_200"]) == (0, 0)
    assert server.wait() == 0
    assert outcome["exit_seconds"] < 25


def test_count_sees_what_a_careless_end_loses(
    start_server: StartServer, trained: Trained, edited_container: Callable[[str], Path]
) -> None:
    container = edited_container("")
    draining = container / "sagemaker_contract" / "serving" / "draining.py"
    careless = draining.read_text().replace(
        "        drop_new_connections(", "        os._exit(0)\n        drop_new_connections("
    )
    draining.write_text(careless.replace("import asyncio\n", "import asyncio\nimport os\n"))
    server = start_server(trained.job.base, container).wait_until_ready()
    assert drain(server, keep_alive=True)["unanswered"] > 0


def ping(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    connection.request("GET", "/ping")
    answer = connection.getresponse()
    answer.read()
    return answer


def test_ping_is_503_while_draining(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    server = start_server(trained.job.base, light_container(STUCK), SAGEMAKER_MODEL_SERVER_TIMEOUT="2")
    server.wait_until_ready()
    with ThreadPoolExecutor(1) as client:
        reply = client.submit(server.invoke, "100,1,1,1")
        server.wait_for_log("predicting")
        answer = drain_begun(server)
        assert (answer.status, answer.getheader("connection")) == (503, "close")
        assert reply.result().status == 503
    assert server.wait() == 0


@pytest.fixture
def serve(start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path) -> Callable[..., Server]:
    """Start a server that drains for some seconds."""

    def start(algorithm: str = "", seconds: int = 23, **settings: str) -> Server:
        container = light_container(algorithm)
        draining = container / "sagemaker_contract" / "serving" / "draining.py"
        draining.write_text(draining.read_text().replace("\nDRAIN_SECONDS = 23", f"\nDRAIN_SECONDS = {seconds}"))
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "file").touch()
        return start_server(tmp_path, container, **settings).wait_until_ready()

    return start


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)


def answer_on(connection: socket.socket) -> tuple[int, str | None]:
    """The status of the response, and its Retry-After."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status, answer.getheader("retry-after")


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 15\r\n\r\n",
        b"Content-Length: 15\r\n\r\n5.1,3.5",
        b"Content-Length: 900000\r\n\r\n" + b"1" * 500_000,
        b"Transfer-Encoding: chunked\r\n\r\n3\r\n5.1\r\n",
    ],
    ids=["nothing", "half", "half of a large one", "in chunks"],
)
def test_44_body_that_does_not_arrive_before_the_end_gets_503(serve: Callable[..., Server], sent: bytes) -> None:
    server = serve(seconds=2)
    with connect(server) as client:
        client.sendall(HEAD + sent)
        wait_for_requests(server, 1)
        server.process.terminate()
        assert answer_on(client) == (503, "1")
    assert server.wait() == 0


def test_44_body_that_arrives_while_draining_is_answered(serve: Callable[..., Server]) -> None:
    server = serve()
    with connect(server) as client:
        client.sendall(HEAD + b"Content-Length: 15\r\n\r\n5.1,")
        wait_for_requests(server, 1)
        drain_begun(server)
        client.sendall(b"3.5,1.4,0.2")
        assert answer_on(client) == (200, None)
    assert server.wait() == 0


def test_44_what_waits_for_its_turn_at_the_end_gets_503(serve: Callable[..., Server]) -> None:
    server = serve(STUCK, seconds=2, SAGEMAKER_MAX_PAYLOAD_IN_MB="1")
    with connect(server) as first, connect(server) as second:
        first.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE)
        server.wait_for_log("predicting")
        second.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE)
        wait_for_requests(server, 2)
        server.process.terminate()
        assert [answer_on(first), answer_on(second)] == [(503, "1"), (503, "1")]
    assert server.wait() == 0


def wait_for_requests(server: Server, count: int) -> None:
    """Wait until so many requests have no response yet, beside the one that asks."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while f"serve_waiting_requests {count + 1}\n" not in server.request("GET", "/metrics").body:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def drain_begun(server: Server) -> http.client.HTTPResponse:
    """Send SIGTERM, and wait until it has arrived; give the response of /ping."""
    pinging = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    pinging.connect()
    server.process.terminate()
    while (answer := ping(pinging)).status == 200:
        time.sleep(0.05)
    pinging.close()
    return answer
