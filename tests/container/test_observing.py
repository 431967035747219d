"""What the server tells about itself: metrics, log lines, parameters for batch transform."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS
from sagemaker_contract.serving.cpus import available_cpus
from sagemaker_contract.serving.telemetry import Board

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Server, StartServer, Trained

RECORD = "5.1,3.5,1.4,0.2"


def metric(text: str, name: str) -> float:
    (value,) = re.findall(rf"^{re.escape(name)} ([0-9.]+)$", text, re.MULTILINE)
    return float(value)


def test_metrics_count_over_all_workers(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base, SAGEMAKER_MODEL_SERVER_WORKERS="2").wait_until_ready()
    server.wait_for_log("the early worker ended with 0")
    for _ in range(10):
        server.invoke(RECORD)
    server.invoke("1,2")
    # The answer is sent before it is counted.
    time.sleep(0.1)
    reply = server.request("GET", "/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert metric(reply.body, 'serve_requests_total{status="200"}') == 10
    assert metric(reply.body, 'serve_requests_total{status="400"}') == 1
    assert metric(reply.body, "serve_request_seconds_count") == 11
    assert metric(reply.body, "serve_batch_records_sum") == 10
    assert metric(reply.body, "serve_workers_ready") == 2


def test_every_metric_line_is_prometheus_text() -> None:
    sample = re.compile(r'^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]+"\})? [0-9.]+)$')
    assert all(sample.match(line) for line in Board(2).prometheus().splitlines())


def test_batch_transform_learns_what_to_send(server: Server) -> None:
    parameters = json.loads(server.request("GET", "/execution-parameters").body)
    assert parameters["BatchStrategy"] == "MULTI_RECORD"
    assert parameters["MaxPayloadInMB"] == 6
    assert parameters["MaxConcurrentTransforms"] >= 1


def test_access_log_names_the_request(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base, SERVE_ACCESS_LOG_SAMPLE="1").wait_until_ready()
    headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": "order-7"}
    server.request("POST", "/invocations", RECORD, headers)
    server.wait_for_log("order-7")
    (line,) = (line for line in server.lines if line.get("inference_id"))
    assert (line["status"], line["path"], line["bytes_in"], line["bytes_out"]) == (200, "/invocations", 15, 7)


def test_access_log_is_off_by_default(server: Server) -> None:
    server.invoke(RECORD)
    assert "access" not in server.messages


@pytest.mark.parametrize("level", ["WARNING", "30"])
def test_log_level_is_honoured(start_server: StartServer, trained: Trained, level: str) -> None:
    server = start_server(trained.job.base, SAGEMAKER_CONTAINER_LOG_LEVEL=level).wait_until_ready()
    assert server.messages == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_processors_by_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int | None
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert available_cpus(tmp_path) == (expected or 8)


def test_413_comes_before_the_body(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n1,2,3")
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_client_that_asks_first_is_told_at_once(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as client:
        head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n"
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")
