"""Workers that hang are replaced, whatever they hang in; a server outlives a moment without memory for a process."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS
from sagemaker_contract.paths import Paths
from sagemaker_contract.serving.settings import Settings
from sagemaker_contract.serving.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Server, StartServer, Trained

RECORD = "5.1,3.5,1.4,0.2"
IMPORTED_WHEN_A_FILE_EXISTS = """
import os, time
while not os.path.exists(os.environ["GO"]):
    time.sleep(0.02)
"""


def edit(container: Path, module: str, old: str, new: str) -> None:
    path = container / "sagemaker_contract" / module
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def start_early(
    start_server: StartServer, trained: Trained, edited_container: Callable[[str], Path], tmp_path: Path
) -> Callable[..., Server]:
    """Start a server whose early worker serves until the file ``go`` exists."""

    def start(module: str = "serving/supervisor.py", old: str = "", new: str = "") -> Server:
        container = edited_container(IMPORTED_WHEN_A_FILE_EXISTS)
        edit(container, module, old, new)
        model = shutil.copytree(trained.job.model.parent, tmp_path / "model")
        check = model / "serving" / "check.json"
        content = json.loads(check.read_text())
        content["algorithm"] = hashlib.sha256((container / "algorithm.py").read_bytes()).hexdigest()
        check.write_text(json.dumps(content))
        return start_server(tmp_path, container, GO=str(tmp_path / "go")).wait_until_ready()

    return start


def early_worker(server: Server) -> int:
    (worker,) = (line["process"] for line in server.lines if line["message"].startswith("ready on port"))
    return int(worker)


def test_early_worker_that_hangs_is_killed(start_early: Callable[..., Server], tmp_path: Path) -> None:
    server = start_early("serving/supervisor.py", "_KILL_SECONDS = 24.5", "_KILL_SECONDS = 1")
    os.kill(early_worker(server), signal.SIGSTOP)
    (tmp_path / "go").touch()
    server.wait_for_log("the early worker ended with -9")
    assert [server.invoke(RECORD).body for _ in range(20)] == ["setosa\n"] * 20


def test_early_worker_that_does_not_hang_ends_by_itself(start_early: Callable[..., Server], tmp_path: Path) -> None:
    server = start_early()
    assert server.invoke(RECORD).body == "setosa\n"
    (tmp_path / "go").touch()
    server.wait_for_log("the early worker ended with 0")


@contextlib.contextmanager
def half_a_body(server: Server) -> Iterator[http.client.HTTPConnection]:
    """Send a request whose body is still to come."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/invocations")
        connection.putheader("Content-Type", "text/csv")
        connection.putheader("Content-Length", str(len(RECORD)))
        connection.endheaders(RECORD[:5].encode())
        yield connection


def test_44_body_that_the_early_worker_never_gets_is_answered_with_503(
    start_early: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_early("serving/draining.py", "\nDRAIN_SECONDS = 23", "\nDRAIN_SECONDS = 2")
    with half_a_body(server) as connection:
        (tmp_path / "go").touch()
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("retry-after")) == (503, "1")
    server.wait_for_log("the early worker ended with 0")


def test_44_body_that_the_early_worker_gets_while_it_retires_is_answered(
    start_early: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_early()
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    with half_a_body(server) as connection, contextlib.closing(kept):
        kept.connect()
        (tmp_path / "go").touch()
        wait_until_it_retires(kept)
        connection.send(RECORD[5:].encode())
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"setosa\n")
    server.wait_for_log("the early worker ended with 0")


def wait_until_it_retires(kept: http.client.HTTPConnection) -> None:
    closes = None
    while closes is None:
        time.sleep(0.02)
        kept.request("GET", "/ping")
        answer = kept.getresponse()
        answer.read()
        assert answer.status == 200
        closes = answer.getheader("connection")


def test_body_that_is_never_decoded_gets_503_and_its_worker_is_replaced(
    start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path
) -> None:
    container = light_container("")
    slow = (
        "def read_blocks(body: bytes, limits: Limits, rows_of: RowsOf) -> Records:\n    import time; time.sleep(600)\n"
    )
    edit(container, "formats/csv_blocks.py", slow.splitlines()[0] + "\n", slow)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "file").touch()
    server = start_server(tmp_path, container, SAGEMAKER_MODEL_SERVER_TIMEOUT="1").wait_until_ready()
    refused = server.invoke("1,2\n" * 20_000)
    assert (refused.status, refused.error) == (503, "a body took longer than 1 seconds; try again")
    assert server.invoke("1,2").body == "setosa\n"
    server.wait_for_log("the worker is replaced")
    server.wait_for_log("another starts")
    server.wait_for_ping(200)
    assert server.invoke("1,2").body == "setosa\n"


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(Settings.from_env(), Paths(tmp_path))


def test_refused_fork_is_tried_again(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[int | OSError] = [BlockingIOError(11, "Resource temporarily unavailable"), 4711]

    def fork() -> int:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr("os.fork", fork)
    assert supervisor._fork() == 4711
    assert "cannot start a worker: Resource temporarily unavailable; trying again in 0.5 s" in caplog.text


def test_server_that_ends_starts_no_worker(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    supervisor._end(signal.SIGTERM, None)
    assert supervisor._fork() is None
