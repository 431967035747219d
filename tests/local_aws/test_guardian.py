"""What a process has started ends when that process gets SIGKILL."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from leftovers import processes_in
from local_aws.tiny_pipeline import wait_for
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws import guardian_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A server that ignores SIGTERM, and starts a process in a group of its own, as a launcher of workers does.
STUBBORN = """
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.getcwd()], preexec_fn=os.setpgrp)
pathlib.Path("started").touch()
time.sleep(600)
"""
# It ends at SIGTERM, and has time to write.
POLITE = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("ended politely").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path("started").touch()
time.sleep(600)
"""
PARENT = """
import pathlib, signal, subprocess, sys, os, time
from mlops_constructs.local_aws.guardian import guardian
from mlops_constructs.local_aws.processes import ChildProcesses
folder, program, how = pathlib.Path(sys.argv[1]), *sys.argv[2:]
def killed(*_):
    while not (folder / "started").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
if how == "before it is announced":
    guardian.started = killed
if how == "without its guardian":
    guardian.starting(["true"])
    guardian._program.kill()
    guardian._program.wait()
farewell = [sys.executable, "-c", f"open({str(folder / 'farewell')!r}, 'w')"]
child = ChildProcesses().start([sys.executable, "-c", program, folder], cwd=folder, env=os.environ, farewell=farewell)
if how == "with a fork that lives on":
    if os.fork() == 0:
        while not (folder / "enough").exists():
            time.sleep(0.01)
        os._exit(0)
if how == "and ends by itself":
    while not (folder / "started").exists():
        time.sleep(0.01)
    child.kill()
    child.wait()
    sys.exit()
killed()
"""


def run(folder: Path, program: str, how: str, code: int = -signal.SIGKILL) -> None:
    """Run a process that starts the program and is killed."""
    done = subprocess.run([sys.executable, "-c", PARENT, folder, program, how], timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == code


@pytest.mark.parametrize("how", ["", "before it is announced", "without its guardian"])
def test_everything_that_a_killed_process_has_started_ends(tmp_path: Path, how: str) -> None:
    run(tmp_path, STUBBORN, how)
    assert wait_for(lambda: not processes_in(tmp_path))
    assert (tmp_path / "started").exists()


def test_it_gets_sigterm_first_and_a_farewell_is_run(tmp_path: Path) -> None:
    run(tmp_path, POLITE, "")
    assert wait_for(lambda: (tmp_path / "farewell").exists())
    assert (tmp_path / "ended politely").exists()
    assert wait_for(lambda: not processes_in(tmp_path))


def test_a_process_that_was_forked_and_lives_on_does_not_matter(tmp_path: Path) -> None:
    run(tmp_path, STUBBORN, "with a fork that lives on")
    assert wait_for(lambda: len(processes_in(tmp_path)) == 1)
    (tmp_path / "enough").touch()
    assert wait_for(lambda: not processes_in(tmp_path))


def test_what_a_program_has_left_behind_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    run(tmp_path, STUBBORN, "and ends by itself", code=0)
    assert wait_for(lambda: not processes_in(tmp_path))


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A session that nobody has announced."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("message", ["ended", "another process had the number"])
def test_nobody_else_is_signalled(other: subprocess.Popen[bytes], message: str) -> None:
    sessions = guardian_program.Sessions()
    sessions.take("started", other.pid)
    if message == "ended":
        sessions.take("ended", other.pid)
    else:
        sessions._running[other.pid] = ("0", None)
    sessions.end()
    with pytest.raises(subprocess.TimeoutExpired):
        other.wait(0.5)


def test_a_session_that_was_announced_is_ended(other: subprocess.Popen[bytes]) -> None:
    sessions = guardian_program.Sessions()
    sessions.take("starting", ["true"])
    sessions.take("started", other.pid)
    sessions.end()
    assert other.wait(PATIENCE_SECONDS) == -signal.SIGTERM
