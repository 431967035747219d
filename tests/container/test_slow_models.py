"""Models that take long, take too long, or take their worker with them."""

from __future__ import annotations

import http.client
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Server, StartServer, Trained

RECORD = "5.1,3.5,1.4,0.2"
# A record says itself how long its prediction takes: what it has above 100 are seconds.
SLOW_ON_HUNDREDS = """
_predict = predict
def predict(model, records):
    import os, time
    print("asked for", len(records), flush=True)
    if os.environ.get("ALWAYS_SLOW", "yes") == "yes":
        time.sleep(0.005)
    slow = records.max() - 100
    if slow == 99:
        os._exit(9)
    if slow >= 0:
        time.sleep(slow)
        print("slept", slow, flush=True)
    return _predict(model, records)
"""


@pytest.fixture
def start_slow(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> Callable[..., Server]:
    def start(**environment: str) -> Server:
        server = start_server(trained.job.base, light_container(SLOW_ON_HUNDREDS), **environment)
        return server.wait_until_ready()

    return start


def slow(seconds: float) -> str:
    return f"{100 + seconds},1,1,1"


def test_43_slow_prediction_gets_503_and_the_worker_goes_on(start_slow: Callable[..., Server]) -> None:
    server = start_slow(SAGEMAKER_MODEL_SERVER_TIMEOUT="1")
    refused = server.invoke(slow(2.5))
    assert "slept" not in server.log.read_text()
    assert (refused.status, refused.error) == (503, "no prediction within 1 seconds")
    assert refused.headers["retry-after"] == "1"
    assert server.ping() == 200
    server.wait_for_log("slept 2.5")
    assert server.invoke(RECORD).body == "setosa\n"
    assert "worker is replaced" not in server.log.read_text()


def test_43_prediction_that_never_ends_replaces_the_worker(start_slow: Callable[..., Server]) -> None:
    server = start_slow(SAGEMAKER_MODEL_SERVER_TIMEOUT="1")
    assert server.invoke(slow(50)).status == 503
    server.wait_for_log("the worker is replaced")
    server.wait_for_log("another starts")
    server.wait_for_ping(200)
    assert server.invoke(RECORD).body == "setosa\n"
    assert "serve_worker_restarts_total 1" in server.request("GET", "/metrics").body


def test_prediction_that_blocks_the_loop_replaces_the_worker(start_slow: Callable[..., Server]) -> None:
    server = start_slow(SAGEMAKER_MODEL_SERVER_TIMEOUT="1", ALWAYS_SLOW="no")
    with pytest.raises((OSError, http.client.HTTPException)):
        server.invoke(slow(50))
    server.wait_for_log("ended with -9; another starts")
    server.wait_for_ping(200)
    assert server.invoke(RECORD).body == "setosa\n"


def test_dead_worker_is_replaced(start_slow: Callable[..., Server]) -> None:
    server = start_slow()
    with pytest.raises((OSError, http.client.HTTPException)):
        server.invoke(slow(99))
    server.wait_for_log("ended with 9; another starts in 0.5 s")
    server.wait_for_ping(200)
    assert server.invoke(RECORD).body == "setosa\n"


def test_ping_answers_within_two_seconds_under_full_load(start_slow: Callable[..., Server]) -> None:
    """It is SageMaker's limit."""
    server = start_slow()
    with ThreadPoolExecutor(16) as clients:
        replies = [clients.submit(server.invoke, slow(0.2)) for _ in range(16)]
        replies += [clients.submit(server.invoke, f"{RECORD}\n" * 100_000) for _ in range(4)]
        waits = []
        while not all(reply.done() for reply in replies):
            began = time.monotonic()
            assert server.ping() == 200
            waits.append(time.monotonic() - began)
    assert {reply.result().status for reply in replies} == {200}
    assert max(waits) < 2


def test_requests_that_wait_are_predicted_together(start_slow: Callable[..., Server]) -> None:
    server = start_slow()
    with ThreadPoolExecutor(9) as clients:
        first = clients.submit(server.invoke, slow(0.5))
        time.sleep(0.2)
        others = [clients.submit(server.invoke, RECORD) for _ in range(8)]
        assert [reply.result().body for reply in others] == ["setosa\n"] * 8
        assert first.result().status == 200
    assert "asked for 8\n" in server.log.read_text()


def test_workers_end_with_a_killed_supervisor(start_slow: Callable[..., Server]) -> None:
    server = start_slow(SAGEMAKER_MODEL_SERVER_WORKERS="2")
    workers = {line["process"] for line in server.lines if line["message"].startswith("ready on port")}
    assert workers
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    # One whose parent has not asked for its end yet has ended all the same.
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_two_servers_do_not_share_a_port(start_server: StartServer, trained: Trained) -> None:
    first = start_server(trained.job.base, SAGEMAKER_MODEL_SERVER_WORKERS="2").wait_until_ready()
    second = start_server(trained.job.base, SAGEMAKER_BIND_TO_PORT=str(first.port), SAGEMAKER_MODEL_SERVER_WORKERS="2")
    assert second.wait() == 1
    assert "Address already in use" in second.messages[-1]
