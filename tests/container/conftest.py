"""The real programs in a temporary SAGEMAKER_BASE_DIR: jobs run to their end, servers ended by the test."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.ports import ReservedPort

CONTAINER = Path(__file__).parents[2] / "container"


@dataclass
class Job:
    """A training job's folder and the program that runs in it."""

    base: Path
    program: Path = CONTAINER / "train"

    def channel(self, name: str, **files: str | bytes) -> Job:
        folder = self.base / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        for stem, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / f"{stem}.csv").write_bytes(data)
        return self

    def config(self, name: str, content: object) -> Job:
        folder = self.base / "input" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text)
        return self

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, self.program],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> Outcome:
        done = subprocess.run(
            [sys.executable, self.program],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "SAGEMAKER_BASE_DIR": str(self.base)}

    @property
    def failure(self) -> str:
        return (self.base / "output" / "failure").read_text(encoding="utf-8")

    @property
    def evaluation(self) -> Path:
        return self.base / "output" / "data" / "evaluation.json"

    @property
    def model(self) -> Path:
        return self.base / "model" / "model.joblib"


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def metrics(self) -> dict[str, float]:
        lines = (line.split("=") for line in self.stdout.splitlines() if line.endswith(";"))
        return {name: float(value.rstrip(";")) for name, value in lines}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def error(self) -> str:
        (reason,) = json.loads(self.body).values()
        return str(reason)


@dataclass
class Server:
    """A serve process on a free port of the loopback interface."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path = field(repr=False)

    def request(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read().decode("utf-8", "surrogateescape"))
        finally:
            connection.close()

    def invoke(self, body: bytes | str, content_type: str | None = "text/csv", accept: str | None = None) -> Reply:
        headers = {"Content-Type": content_type, "Accept": accept}
        given = {name: value for name, value in headers.items() if value is not None}
        return self.request("POST", "/invocations", body, given)

    def ping(self) -> int:
        """The status of /ping, or 0 when nobody listens."""
        try:
            return self.request("GET", "/ping").status
        except OSError:
            return 0

    def wait_for_ping(self, status: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.ping() != status:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"no {status} from /ping"
            time.sleep(0.02)

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log's lines of JSON; what an algorithm prints is left out."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    @property
    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines]

    def wait_for_log(self, text: str, *, more_than: int = 0) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.log.read_text().count(text) <= more_than:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def wait_until_ready(self) -> Server:
        self.wait_for_ping(200)
        return self


StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def container() -> Path:
    return CONTAINER


@pytest.fixture(scope="session")
def iris() -> list[str]:
    """The iris data set as CSV lines, the name first, shuffled."""
    from sklearn.datasets import load_iris

    data = load_iris()
    lines = [
        ",".join([str(data.target_names[label]), *map(str, row)])
        for row, label in zip(data.data, data.target, strict=True)
    ]
    random.Random(0).shuffle(lines)
    return lines


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "ml")


@dataclass(frozen=True)
class Trained:
    """A finished job on iris: 120 rows in two files to train on, 30 to judge by."""

    job: Job
    outcome: Outcome
    validation: list[str]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, iris: list[str]) -> Trained:
    job = Job(tmp_path_factory.mktemp("trained"))
    job.channel("train", first="\n".join(iris[:50]) + "\n", second="\n".join(iris[50:120]) + "\n")
    job.channel("validation", iris="\n".join(iris[120:]) + "\n")
    job.config("hyperparameters", {"n_estimators": "50", "max-depth": "4", "sagemaker_region": "us-east-1"})
    job.config("inputdataconfig", {"train": {"TrainingInputMode": "File"}, "validation": {}})
    job.config("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]})
    return Trained(job, job.run(), iris[120:])


@pytest.fixture(scope="session")
def edited_container(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Copy the container with lines added to algorithm.py, as a team edits it."""

    def edit(lines: str) -> Path:
        copy = tmp_path_factory.mktemp("edited") / "container"
        shutil.copytree(CONTAINER, copy, ignore=shutil.ignore_patterns("__pycache__"))
        with (copy / "algorithm.py").open("a", encoding="utf-8") as algorithm:
            algorithm.write(lines)
        return copy

    return edit


LIGHT_ALGORITHM = """
def load(directory):
    return "setosa"

def predict(model, records):
    return [model] * len(records)
"""


@pytest.fixture(scope="session")
def light_container(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Copy the container with an algorithm that knows setosa only, and is up at once; lines are added to it."""

    def make(lines: str) -> Path:
        copy = tmp_path_factory.mktemp("light") / "container"
        shutil.copytree(CONTAINER, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "algorithm.py").write_text(LIGHT_ALGORITHM + lines, encoding="utf-8")
        return copy

    return make


def _start_server(folder: Path, base: Path, container: Path, port: int, environment: dict[str, str]) -> Server:
    settings = {
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    }
    log = folder / f"serve-{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, container / "serve"],
            env={**os.environ, **settings, **environment},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    return Server(process, port, log)


def _servers(folder: Path) -> Iterator[StartServer]:
    servers: list[tuple[Server, ReservedPort]] = []

    def start(base: Path, container: Path = CONTAINER, **environment: str) -> Server:
        port = ReservedPort()
        server = _start_server(folder, base, container, port.number, environment)
        servers.append((server, port))
        return server

    yield start
    for server, port in servers:
        server.process.kill()
        server.process.wait()
        port.release()


@pytest.fixture
def free_port() -> Iterator[int]:
    port = ReservedPort()
    yield port.number
    port.release()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start serve programs, which end with the test."""
    yield from _servers(tmp_path)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> Iterator[Server]:
    """One server of the trained model for every test that only asks it something."""
    for start in _servers(tmp_path_factory.mktemp("server")):
        shared = start(trained.job.base)
        shared.wait_for_ping(200)
        yield shared
