"""`mlops rehearse`, interrupted: nothing is left, whenever it happens."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from leftovers import nothing_left
from patience import PATIENCE_SECONDS
from rehearse_process import start, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform
INTERRUPTED = "mlops rehearse: interrupted; everything that it started has ended\n"


@pytest.mark.parametrize(
    ("moment", "then_seconds"),
    [
        ("Synth | cdk.tf.json | running", 0.3),
        ("Terraform | init | running", 0.1),
        ("Terraform | apply | running", 6),
        ("Train / Train | running", 0.5),
    ],
    ids=["synth", "init", "apply", "train"],
)
def test_ctrl_c_ends_everything_it_started(scratch: Path, moment: str, then_seconds: float) -> None:
    with start(scratch, "--approve") as process:
        wait_for(process, moment)
        time.sleep(then_seconds)
        # As a terminal does: to the whole foreground group.
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (130, INTERRUPTED)
    assert nothing_left(scratch)


def test_a_polite_kill_is_the_same(scratch: Path) -> None:
    with start(scratch, "--approve") as process:
        wait_for(process, "Terraform | validate | running")
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (130, INTERRUPTED)
    assert nothing_left(scratch)
