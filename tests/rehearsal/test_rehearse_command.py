"""`mlops rehearse`, whole, and when it is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest
from leftovers import nothing_left

ROOT = Path(__file__).resolve().parents[2]
MLOPS = [sys.executable, "-m", "mlops_constructs"]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder that gets every temporary file of the command."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def start(scratch: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MLOPS, "rehearse", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.terraform
def test_a_data_set_travels_to_a_production_endpoint_that_answers(scratch: Path) -> None:
    process = start(scratch, "--approve", "--json")
    output, progress = process.communicate(timeout=400)
    assert process.returncode == 0, progress
    result = json.loads(output)
    assert result["rows"] == 30
    assert result["accuracy"] >= 0.8
    assert "Terraform | second plan | succeeded" in progress
    assert "no changes" in progress
    assert "nothing is left" in progress
    assert nothing_left(scratch)


def wait_for(stream: IO[str], text: str, seen: list[str]) -> threading.Event:
    """Read a stream to its end in a thread; the event is set when a line has the text."""
    found = threading.Event()

    def read() -> None:
        for line in stream:
            seen.append(line)
            if text in line:
                found.set()
        found.set()

    threading.Thread(target=read, daemon=True).start()
    return found


@pytest.mark.parametrize(
    ("moment", "then_seconds"),
    [
        ("Synth | cdk.tf.json | running", 0.3),
        ("Terraform | init | running", 0.1),
        ("Terraform | apply | running", 6),
        pytest.param("Train / Train | running", 0.5, marks=pytest.mark.terraform),
    ],
    ids=["synth", "init", "apply", "train"],
)
def test_ctrl_c_ends_everything_it_started(scratch: Path, moment: str, then_seconds: float) -> None:
    process = start(scratch, "--approve")
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    assert wait_for(process.stdout, moment, lines).wait(300), lines
    time.sleep(then_seconds)
    # As a terminal does: to the whole foreground group.
    os.killpg(process.pid, signal.SIGINT)
    errors = process.stderr.read()
    assert process.wait(15) == 130, errors
    assert errors == "mlops rehearse: interrupted; everything it started has ended\n"
    assert nothing_left(scratch)


def test_a_polite_kill_is_the_same(scratch: Path) -> None:
    process = start(scratch, "--approve")
    assert process.stdout is not None
    assert process.stderr is not None
    assert wait_for(process.stdout, "Terraform | validate", []).wait(60)
    process.terminate()
    assert process.wait(15) == 130, process.stderr.read()
    process.stderr.close()
    assert nothing_left(scratch)
