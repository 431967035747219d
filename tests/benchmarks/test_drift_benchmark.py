"""The drift benchmark runs, and drift is found where there is some, and hardly ever where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drift_benchmark.report import targets
from drift_benchmark.rivals import Rivals, ks_p_value
from drift_benchmark.simulation import ALARM, EVIDENCE, KS, METHODS, PSI, with_shift, without_drift
from drift_benchmark.streams import KINDS, SHIFTS

ROOT = Path(__file__).resolve().parents[2]
STREAMS = 100


@pytest.mark.parametrize("place", range(6))
def test_hardly_ever_a_false_alarm(place: int) -> None:
    """The level is 5 %. More than 10 of 100 have a probability of 1 %, if it is used up, which it is not."""
    kind = replace(KINDS[place], records=2_000, rows=min(KINDS[place].rows, 500))
    found = [without_drift(kind, [9, place, run]).first for run in range(STREAMS)]
    assert sum(one[EVIDENCE] is not None for one in found) <= 10
    assert all(one[ALARM] is None or one[EVIDENCE] is not None for one in found)


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.name)
def test_a_change_is_found(shift: Any) -> None:
    found = with_shift(shift, 1_000, [5, 1]).first[EVIDENCE]
    assert found is not None
    assert 0 < found <= 2 * shift.within_late


def test_a_test_at_each_window_finds_what_is_not_there() -> None:
    found = [without_drift(KINDS[0], [4, run]).first for run in range(12)]
    assert sum(one[KS] is not None for one in found) >= 3


def test_it_prints_every_table_and_target(tmp_path: Path) -> None:
    found = tmp_path / "numbers.json"
    command = [sys.executable, "-m", "drift_benchmark", "--runs=1", "--workers=1", f"--json={found}"]
    path = os.pathsep.join(str(ROOT / folder) for folder in ("benchmarks", "lambdas"))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for title in ("Streams without drift", "Change from the first record", "Change after 10,000 records", "Targets"):
        assert title in done.stdout
    assert done.stdout.count("required:") == 2 + 2 * len(SHIFTS)
    document = json.loads(found.read_text())
    assert [len(document[part]) for part in ("kinds", "shifts")] == [len(KINDS), 2 * len(SHIFTS)]


@pytest.mark.parametrize(
    ("upper", "lower", "met"), [(0.03, 0.01, True), (0.08, 0.06, False), (0.06, 0.02, None)], ids=str
)
def test_the_level_is_met_missed_or_open(upper: float, lower: float, met: bool | None) -> None:
    measured = {name: {"upper": upper, "lower": lower} for name in METHODS}
    document = {"kinds": [{"name": "", "holds": True, **measured}], "shifts": []}
    assert next(iter(targets(document)))["met"] is met


def test_the_kolmogorov_smirnov_test_is_that_of_the_textbook() -> None:
    """At a scaled distance of 1.3581 the p-value is 5 %."""
    first, second = np.arange(0.0, 10_000.0), np.arange(0.0, 10_000.0) + 191.5
    assert ks_p_value(first, second) == pytest.approx(0.05, abs=0.001)
    assert ks_p_value(first, first) == 1.0


def test_the_index_is_that_of_two_windows() -> None:
    rivals = Rivals([["a"] * 50 + ["b"] * 50], 0.05)
    assert rivals.psi_alarm([["a"] * 75 + ["b"] * 25])
    assert not rivals.psi_alarm([["a"] * 60 + ["b"] * 40])
    assert not rivals.ks_alarm([["a"] * 100])
    assert PSI in METHODS
