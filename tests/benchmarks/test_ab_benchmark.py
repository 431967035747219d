"""The A/B benchmark runs, and measures what is shipped; what it finds takes minutes, so no test says it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ab_benchmark.agreement import AgreementError, compare
from ab_benchmark.limits import upper_limit
from ab_benchmark.report import targets
from ab_benchmark.simulation import Cell, simulate

ROOT = Path(__file__).resolve().parents[2]


def test_it_prints_every_table_and_target(tmp_path: Path) -> None:
    found = tmp_path / "numbers.json"
    command = [sys.executable, "-m", "ab_benchmark", "--runs=5", "--horizon=1000", "--workers=1", f"--json={found}"]
    path = os.pathsep.join(str(ROOT / folder) for folder in ("benchmarks", "lambdas"))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for title in ("False verdicts in tests without a difference", "Tests that find the difference", "Intervals that"):
        assert title in done.stdout
    assert "0.9/0.9, 99:1" in done.stdout
    assert done.stdout.count("required:") == 6
    assert len(json.loads(found.read_text())["rows"]) == 9 + 15 + 6


@pytest.mark.parametrize(("found", "runs", "met"), [(310, 10_000, True), (600, 10_000, False), (18, 500, None)])
def test_the_level_is_met_missed_or_open(found: int, runs: int, met: bool | None) -> None:
    measured = {"share": found / runs, "upper": upper_limit(found, runs)}
    assert [target["met"] for target in targets([{"part": "level", "runs": runs, "mixture": measured}])] == [met]


def test_a_disagreement_with_the_shipped_modules_is_an_error() -> None:
    cell = Cell(0.9, 0.8, 0.1)
    kept = simulate(cell, 2, 1_000, [1], 2, coverage=True).kept
    assert compare(cell, kept) == 2
    with pytest.raises(AgreementError, match="in the shipped modules"):
        compare(cell, [replace(kept[0], log_worse=kept[0].log_worse + 1e-8)])


@pytest.mark.parametrize(
    ("found", "runs", "limit"), [(0, 100, 0.0295), (5, 100, 0.1023), (310, 10_000, 0.0340), (97, 100, 0.9918)]
)
def test_the_upper_limit_is_that_of_clopper_and_pearson(found: int, runs: int, limit: float) -> None:
    assert upper_limit(found, runs) == pytest.approx(limit, abs=5e-5)
