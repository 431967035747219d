"""The loop is closed: a release, drift that names its feature, exactly one execution on new data, and its release."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "tabular_retrain"
pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def output() -> str:
    """What `make rehearse EXAMPLE=tabular_retrain` says."""
    command = [sys.executable, "loop.py", "--no-docker"]
    done = subprocess.run(
        command, cwd=EXAMPLE, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_uploads_start_nothing(output: str) -> None:
    assert re.search(r"uploads start no execution of parcels-\w+; --start does", output)


def test_the_alarm_names_the_feature(output: str) -> None:
    assert re.search(r"^ALARM: .*distance_km has drifted from the training data since", output, re.MULTILINE)
    assert not re.search(r"^ALARM: .*weight_kg has drifted", output, re.MULTILINE)


def test_the_approver_reads_why(output: str) -> None:
    assert re.search(r"^ +Started because .*distance_km has drifted", output, re.MULTILINE)
    assert re.search(r"^    started because .*distance_km has drifted", output, re.MULTILINE)


def test_exactly_one_execution_leads_to_the_next_release(output: str) -> None:
    assert "The loop is closed: one execution, started because" in output
    assert re.search(r"^2 +\d{4}-", output, re.MULTILINE)
