"""The servers that are compared; each is a process tree on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from serving_benchmark.environments import CONTAINER, BenchmarkError, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(__file__).parent / "peers"
WORKERS = 2
_PATIENCE_SECONDS = 60
_REST_SECONDS = 0.3
# Processor ticks, of a hundred per second, that an idle Java process uses.
_REST_TICKS = 2


@dataclass
class Server:
    """How a server is started; ``{port}`` is replaced with its port.

    ``ended_by`` is an argument in the command line of the process that gets SIGTERM, if it is not the first process.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = PEERS
    ended_by: str = ""


@dataclass
class Running:
    """A server that responds."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    seconds_to_ping: float
    seconds_to_answer: float
    ended_by: str

    def terminate(self) -> None:
        self._ending = self._process_to_end()
        os.kill(self._ending, signal.SIGTERM)

    def wait(self) -> None:
        """Wait until the terminated process has ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._is_running() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _process_to_end(self) -> int:
        for process in _tree(self.process.pid) if self.ended_by else []:
            with contextlib.suppress(OSError):
                if self.ended_by.encode() in (Path("/proc") / str(process) / "cmdline").read_bytes().split(b"\0"):
                    return process
        return self.process.pid

    def _is_running(self) -> bool:
        if self.process.poll() is not None:
            return False
        try:
            state = (Path("/proc") / str(self._ending) / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def rest(self) -> None:
        """Wait until the server has finished its pending work, so that it takes no processor time from the next one."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        used = self._processor_ticks()
        while time.monotonic() < deadline:
            time.sleep(_REST_SECONDS)
            before, used = used, self._processor_ticks()
            if used - before <= _REST_TICKS:
                return

    def _processor_ticks(self) -> int:
        return sum(map(_processor_ticks, _tree(self.process.pid)))

    def proportional_megabytes(self) -> float:
        """Memory of the whole process tree; shared pages are divided between the processes that share them."""
        return sum(map(_proportional_kilobytes, _tree(self.process.pid))) / 1024


@contextlib.contextmanager
def running(server: Server, log: Path) -> Iterator[Running]:
    """Start a server, wait until it is healthy, and kill all its processes at the end."""
    port = _free_port()
    command = [part.format(port=port) for part in server.command]
    settings = {name: value.format(port=port) for name, value in server.environment.items()}
    with (log / f"{server.name.replace(' ', '-')}.log").open("ab") as stream:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=server.folder,
            env={**os.environ, **settings},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not _is_healthy(port):
            if process.poll() is not None or time.monotonic() - began > _PATIENCE_SECONDS:
                raise BenchmarkError(f"{server.name} does not respond; see {stream.name}")
            time.sleep(0.02)
        pinged = time.monotonic() - began
        # multi-model-server reports that it is healthy before its model is loaded.
        while not _answers(port) and time.monotonic() - began < _PATIENCE_SECONDS:
            time.sleep(0.02)
        yield Running(server.name, port, process, pinged, time.monotonic() - began, server.ended_by)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ours(name: str, base: Path, context: Path = CONTAINER, **settings: str) -> Server:
    """This container, or its copy with another algorithm."""
    return Server(
        name,
        [str(environment("container") / "python"), str(context / "serve")],
        {
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": "{port}",
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS),
            **settings,
        },
    )


def flask(name: str, model: Path) -> Server:
    """gunicorn with gevent workers, as the AWS sample starts it."""
    gunicorn = str(environment("flask") / "gunicorn")
    options = ["--worker-class", "gevent", "--workers", str(WORKERS), "--timeout", "60", "--bind", "127.0.0.1:{port}"]
    return Server(name, [gunicorn, *options, "wsgi:app"], {"MODEL_DIR": str(model)}, PEERS / "flask_app")


def multi_model_server(name: str, model: Path, work: Path) -> Server:
    """sagemaker-inference on multi-model-server, with the settings that sagemaker-inference writes.

    Raises:
        BenchmarkError: If Java is not installed.
    """
    if shutil.which("java") is None:
        raise BenchmarkError("multi-model-server needs Java: apt-get install default-jre-headless")
    programs = environment("mms")
    served = shutil.copytree(model, work / "mms-model", ignore=shutil.ignore_patterns("serving"))
    shutil.copytree(PEERS / "mms_code", served / "code", ignore=shutil.ignore_patterns("__pycache__"))
    (toolkit,) = programs.parent.glob("lib/python*/site-packages/sagemaker_inference")
    start = work / "start-mms"
    start.write_text(
        "#!/bin/sh\n"
        # It keeps its process id in TMPDIR, and starts only once per folder.
        f'export TMPDIR="$(mktemp -d "{work}/tmp-XXXXXX")"\n'
        f'cat > "{work}/mms-$1.properties" <<END\n'
        "enable_envvars_config=true\ndecode_input_request=false\nload_models=ALL\n"
        "default_service_handler=sagemaker_inference.default_handler_service\n"
        f"default_workers_per_model={WORKERS}\nvmargs=-XX:-UseContainerSupport -Djava.io.tmpdir=$TMPDIR\n"
        "inference_address=http://127.0.0.1:$1\nmanagement_address=http://127.0.0.1:$1\nEND\n"
        f'exec "{programs}/multi-model-server" --foreground --start --model-store / '
        f'--mms-config "{work}/mms-$1.properties" --log-config "{toolkit}/etc/log4j2.xml" --models "model={served}"\n'
    )
    start.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return Server(
        name,
        [str(start), "{port}"],
        {"PATH": path, "PYTHONPATH": str(served / "code"), "SAGEMAKER_BASE_DIR": str(served.parent)},
        work,
        # The entry point of sagemaker-inference sends SIGTERM to this process too.
        ended_by="com.amazonaws.ml.mms.ModelServer",
    )


def constant(name: str) -> Server:
    """The same ASGI server with as many workers, which responds with the same bytes to every request."""
    return Server(name, [str(environment("container") / "python"), "constant_server.py", "{port}", str(WORKERS)])


def _is_healthy(port: int) -> bool:
    return _status(port, "GET", "/ping") == 200


def _answers(port: int) -> bool:
    return _status(port, "POST", "/invocations", b"5.1,3.5,1.4,0.2\n") == 200


def _status(port: int, method: str, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, {"Content-Type": "text/csv", "Accept": "text/csv"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _free_port() -> int:
    """A free port that multi-model-server accepts: it rejects ports above 49151."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return int(probe.getsockname()[1])


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, left = [], [root]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return found


def _processor_ticks(process: int) -> int:
    with contextlib.suppress(OSError):
        fields = (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0


def _proportional_kilobytes(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in (Path("/proc") / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
