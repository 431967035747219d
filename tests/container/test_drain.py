"""SIGTERM under load: whatever was sent is answered."""

from __future__ import annotations

import http.client
import signal
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
    pinging = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    pinging.connect()
    with ThreadPoolExecutor(1) as client:
        reply = client.submit(server.invoke, "100,1,1,1")
        server.wait_for_log("predicting")
        server.process.send_signal(signal.SIGTERM)
        # The signal may take a moment; until then it is alive and well.
        while (answer := ping(pinging)).status == 200:
            time.sleep(0.05)
        assert (answer.status, answer.getheader("connection")) == (503, "close")
        assert reply.result().status == 503
    pinging.close()
    assert server.wait() == 0
