"""A program in a sandbox finds what SageMaker gives it, changes nothing of this machine, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.containers.running import Container
from mlops_constructs.local_aws.containers.sandbox import Door, Sandbox, sandbox_problem
from mlops_constructs.local_aws.processes import ChildProcesses

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sandbox_problem() is not None, reason=f"no sandboxes here: {sandbox_problem()}")
SERVER = "import http.server as s; s.HTTPServer(('0.0.0.0', 8080), s.SimpleHTTPRequestHandler).serve_forever()"


class Machine:
    """Starts programs in sandboxes, and takes what they print."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, ChildProcesses()
        self.tree, self.data = folder / "tree", folder / "data"
        for one in (self.tree / "opt/program", self.tree / "app", self.data):
            one.mkdir(parents=True)
        (self.data / "rows.csv").write_text("a,1\n")
        (self.tree / "opt/program/code.py").write_text("print('from the image')\n")
        self.started: list[tuple[subprocess.Popen[bytes], Door]] = []

    def start(self, *words: str, own_network: bool = False, directory: str = "/opt/program") -> tuple[Any, Door]:
        scratch = self.folder / f"scratch{len(self.started)}"
        scratch.mkdir()
        sandbox = Sandbox(
            scratch=scratch, trees=[self.tree], binds={self.data: "/opt/ml/input/data/train"}, own_network=own_network
        )
        self.started.append(sandbox.start(words, {"PATH": os.environ["PATH"]}, directory, self.processes))
        return self.started[-1]

    def close(self) -> None:
        """End all of them."""
        self.processes.close()
        for process, door in self.started:
            door.close()
            if process.stdout is not None:
                process.stdout.close()

    def run(self, script: str) -> tuple[int, str]:
        """Exit code and output of a shell script."""
        process, _ = self.start("sh", "-c", script)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, output.decode()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("cat /opt/ml/input/data/train/rows.csv", "a,1\n"),
        ("python3 code.py", "from the image\n"),
        ("pwd", "/opt/program\n"),
        ("hostname", "algo-1\n"),
        ("getent hosts algo-1 | cut -d' ' -f1", "127.0.0.1\n"),
        ("echo $$", "1\n"),
        ("id -u", f"{os.geteuid()}\n"),
        ("ls -A /tmp", ""),
        ("test -d /app && ls -A /app", ""),
    ],
)
def test_a_program_finds_what_sagemaker_gives_it(machine: Machine, script: str, output: str) -> None:
    assert machine.run(script) == (0, output)


def test_what_it_writes_is_not_on_this_machine(machine: Machine) -> None:
    places = ["/opt/local-aws-test", "/etc/local-aws-test", "/app/local-aws-test", "/var/tmp/local-aws-test"]
    assert machine.run(f"touch {' '.join(places)} && ls {places[0]}") == (0, f"{places[0]}\n")
    assert [place for place in places if Path(place).exists()] == []
    assert list((machine.tree / "app").iterdir()) == []


def test_what_it_writes_into_a_folder_that_it_was_given_stays(machine: Machine) -> None:
    assert machine.run("echo b,2 > /opt/ml/input/data/train/more.csv")[0] == 0
    assert (machine.data / "more.csv").read_text() == "b,2\n"


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 0), ("sh -c 'kill -9 $$'", 137)])
def test_the_exit_code_is_the_programs(machine: Machine, script: str, code: int) -> None:
    # Process 1 cannot kill itself.
    assert machine.run(script)[0] == code


def test_a_program_that_does_not_exist_is_named_with_its_path(machine: Machine) -> None:
    process, _ = machine.start("train")
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 127
    assert output.decode().startswith("exec: 'train': No such file or directory, PATH is ")


def fetched(door: Door) -> bytes:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection = door.connect(8080)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "still nothing listens"
            time.sleep(0.05)
    with connection:
        connection.sendall(b"GET /code.py HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_two_servers_listen_on_port_8080_at_once(machine: Machine) -> None:
    doors = [machine.start("python3", "-c", SERVER, own_network=True)[1] for _ in range(2)]
    assert all(b"from the image" in fetched(door) for door in doors)


def test_a_server_has_no_way_out(machine: Machine) -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    process, _ = machine.start("python3", "-c", script, own_network=True)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Network is unreachable" in output.decode()


CATCHES = "trap 'echo saved; exit 5' TERM; echo started; while true; do sleep 0.1; done"
IGNORES = "echo started; while true; do sleep 0.1; done"


@pytest.mark.parametrize(("script", "code", "last"), [(CATCHES, 5, "saved"), (IGNORES, 137, "started")])
def test_a_program_is_ended_as_docker_ends_it(machine: Machine, script: str, code: int, last: str) -> None:
    process, _ = machine.start("sh", "-c", script)
    lines: list[str] = []
    container = Container(machine.processes, process, lines.append)
    begin = time.monotonic()
    while "started" not in lines:
        assert time.monotonic() - begin < PATIENCE_SECONDS, "still not started"
        time.sleep(0.05)
    container.stop(PATIENCE_SECONDS)
    assert (container.exit_code(), lines[-1]) == (code, last)
    # A program that does not catch the signal never gets it, so it is not waited for.
    assert time.monotonic() - begin < PATIENCE_SECONDS


def alive(mark: str) -> list[str]:
    """The processes of this machine whose command has a mark."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "cmdline").read_text(errors="replace"):
                found.append(entry.name)
    return found


@pytest.mark.parametrize("how", ["door", "kill"])
def test_nothing_outlives_the_local_aws(machine: Machine, how: str) -> None:
    mark = f"8642{os.getpid()}.75"
    process, door = machine.start("sh", "-c", f"setsid sleep {mark} & setsid sleep {mark} & sleep {mark}")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(alive(mark)) < 4:
        assert time.monotonic() < deadline, "still not started"
        time.sleep(0.05)
    if how == "door":
        # What the kernel does when the local AWS is killed.
        door.close()
    else:
        os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)
    while alive(mark):
        assert time.monotonic() < deadline, "it outlives"
        time.sleep(0.05)


def test_a_sandbox_that_cannot_be_set_up_says_at_which_step(machine: Machine) -> None:
    scratch = machine.folder / "scratch"
    scratch.mkdir()
    broken = Sandbox(scratch=scratch, binds={machine.folder / "nothing": "/opt/ml"})
    process, door = broken.start(["true"], {}, "/", machine.processes)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    door.close()
    assert process.returncode == 125
    assert output.decode().startswith("local AWS: the container cannot be set up: ")


def test_the_program_needs_no_package(tmp_path: Path) -> None:
    """It runs under `-I -S`, which finds no package of ours."""
    program = Path(__file__).parents[2] / "mlops_constructs/local_aws/containers/sandbox_program.py"
    done = subprocess.run([sys.executable, "-I", "-S", str(program)], capture_output=True, text=True, check=False)
    assert "IndexError" in done.stderr
