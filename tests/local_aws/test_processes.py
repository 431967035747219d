"""Child processes: whole groups end, and nobody else's."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from mlops_constructs.local_aws.processes import signal_group

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# Its child lives on in its group.
ORPHAN = [sys.executable, "-c", "import subprocess, sys; subprocess.Popen(sys.argv[1:])", *SLEEP]


def test_a_number_that_another_process_has_by_now_is_not_signalled() -> None:
    other = subprocess.Popen(SLEEP, start_new_session=True)
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    ended.wait()
    # As when the kernel gives the number again.
    ended.pid = other.pid
    try:
        signal_group(ended, signal.SIGKILL)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
    finally:
        other.kill()
        other.wait()


def test_what_its_leader_left_behind_is_signalled() -> None:
    leader = subprocess.Popen(ORPHAN, start_new_session=True, stdout=subprocess.PIPE)
    leader.wait()
    signal_group(leader, signal.SIGKILL)
    assert leader.stdout is not None
    # It ends when nobody holds the pipe any more.
    assert leader.stdout.read() == b""
    leader.stdout.close()
