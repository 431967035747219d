"""`mlops rehearse`, whole, and when it is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from leftovers import nothing_left

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
MLOPS = [sys.executable, "-m", "mlops_constructs"]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that gets every temporary file of the command; short, as a provider's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="r") as folder:
        yield Path(folder)


def start(scratch: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MLOPS, "rehearse", "--no-docker", *arguments],
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
    assert "Image | container runtime | succeeded" in progress
    assert "nothing is left" in progress
    assert nothing_left(scratch)


INTERRUPTED = "mlops rehearse: interrupted; everything it started has ended\n"


def wait_for(process: subprocess.Popen[str], moment: str) -> None:
    """Read the command's lines until one has the text."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if moment in line:
            return
    raise AssertionError(f"it ended before {moment!r}: {seen}")


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
    with start(scratch, "--approve") as process:
        wait_for(process, moment)
        time.sleep(then_seconds)
        # As a terminal does: to the whole foreground group.
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, INTERRUPTED)
    assert nothing_left(scratch)


def test_a_polite_kill_is_the_same(scratch: Path) -> None:
    with start(scratch, "--approve") as process:
        wait_for(process, "Terraform | validate | running")
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, INTERRUPTED)
    assert nothing_left(scratch)
