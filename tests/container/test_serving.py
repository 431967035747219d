"""The life of a server: starting, failing to start, and ending."""

from __future__ import annotations

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import StartServer, Trained

RECORD = "5.1,3.5,1.4,0.2"
SLOW_PREDICT = """
_predict = predict
def predict(model, records):
    import time
    print("predicting", flush=True)
    time.sleep(0.5)
    return _predict(model, records)
"""
FAILS_ON_HUNDREDS = """
_predict = predict
def predict(model, records):
    if records.max() >= 100:
        raise RuntimeError("inner life")
    return _predict(model, records)
"""
SLOW_LOAD = """
_load = load
def load(directory):
    import time
    time.sleep(0.5)
    return _load(directory)
"""


def test_45_ping_is_503_until_the_model_is_loaded(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    server = start_server(trained.job.base, light_container(SLOW_LOAD))
    server.wait_for_ping(503)
    refused = server.invoke(RECORD)
    assert (refused.status, refused.error) == (503, "the model is still loading")
    server.wait_for_ping(200)
    assert server.invoke(RECORD).body == "setosa\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_while_idle_ends_with_zero(start_server: StartServer, trained: Trained, number: signal.Signals) -> None:
    server = start_server(trained.job.base)
    server.wait_for_ping(200)
    server.process.send_signal(number)
    assert server.wait() == 0
    assert "Traceback" not in server.log.read_text()


def test_sigterm_while_loading_ends_with_zero(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    server = start_server(trained.job.base, light_container(SLOW_LOAD))
    server.wait_for_ping(503)
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0


def test_request_in_flight_at_sigterm_is_answered(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    server = start_server(trained.job.base, light_container(SLOW_PREDICT))
    server.wait_for_ping(200)
    warmed_up = server.log.read_text().count("predicting")
    with ThreadPoolExecutor(1) as client:
        reply = client.submit(server.invoke, RECORD)
        server.wait_for_log("predicting", more_than=warmed_up)
        server.process.send_signal(signal.SIGTERM)
        assert reply.result().body == "setosa\n"
    assert server.wait() == 0


def test_ping_answers_during_a_slow_prediction(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    server = start_server(trained.job.base, light_container(SLOW_PREDICT))
    server.wait_for_ping(200)
    warmed_up = server.log.read_text().count("predicting")
    with ThreadPoolExecutor(1) as client:
        reply = client.submit(server.invoke, RECORD)
        server.wait_for_log("predicting", more_than=warmed_up)
        assert server.ping() == 200
        assert not reply.done()
        assert reply.result().status == 200


def test_failing_model_gets_500_without_its_inner_life(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    broken = light_container(FAILS_ON_HUNDREDS)
    server = start_server(trained.job.base, broken)
    server.wait_for_ping(200)
    reply = server.invoke("100,1,1,1")
    assert (reply.status, reply.error) == (500, "the model failed for this request; see the server's log")
    assert any("RuntimeError: inner life" in line.get("exception", "") for line in server.lines)
    assert server.ping() == 200


def test_missing_model_ends_with_the_reason(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(tmp_path)
    assert server.wait() == 1
    assert server.messages[-1] == f"there is no model in {tmp_path / 'model'}: the folder is missing or empty"


@pytest.mark.parametrize("content", [b"no model", b"\x80\x05N."], ids=["text", "a pickled None"])
def test_45_corrupt_model_ends_with_the_reason(start_server: StartServer, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.joblib").write_bytes(content)
    server = start_server(tmp_path)
    assert server.wait() == 1
    assert server.messages[-1].startswith(f"cannot load the model in {tmp_path / 'model'}: ")


def test_truncated_model_ends_with_the_reason(start_server: StartServer, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.joblib").write_bytes(trained.job.model.read_bytes()[:5000])
    assert start_server(tmp_path).wait() == 1


def test_taken_port_ends_with_the_reason(start_server: StartServer, trained: Trained) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start_server(trained.job.base, SAGEMAKER_BIND_TO_PORT=str(port))
        assert server.wait() == 1
    assert server.messages == [f"cannot listen on 127.0.0.1 port {port}: Address already in use"]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http", "a whole number from 1 to 65535"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "0", "a whole number from 1 to 100"),
        (
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
            "text/html",
            "one of text/csv, application/json, application/jsonlines, application/x-npy",
        ),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "many", "a whole number from 1 to 256"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "-1", "a whole number from 1 to 3600"),
        ("SAGEMAKER_CONTAINER_LOG_LEVEL", "LOUD", "a level such as INFO or 20"),
        ("SAGEMAKER_MULTI_MODEL", "perhaps", "true or false"),
        ("SERVE_ACCELERATION", "fast", "true or false"),
        ("SERVE_ACCESS_LOG_SAMPLE", "2", "a number from 0 to 1"),
    ],
)
def test_bad_setting_ends_with_the_reason(
    start_server: StartServer, tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    server = start_server(tmp_path, **{name: value})
    assert server.wait() == 1
    assert server.messages == [f"{name} must be {wanted}, got '{value}'"]
