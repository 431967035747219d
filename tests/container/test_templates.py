"""What ``mlops init --task`` writes: each algorithm trains on its data and serves, held-out rows included."""

from __future__ import annotations

import base64
import csv
import shutil
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.cli._data_check import contract_variables
from mlops_constructs.cli.main import main
from mlops_constructs.deployed.endpoints import predictions
from mlops_constructs.deployed.scores import score
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Job, StartServer


def project(tmp_path: Path, task: str) -> Path:
    assert main(["init", "--task", task, str(tmp_path / "project")]) == 0
    return tmp_path / "project"


def train(job: Job, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Train as a pipeline does, with the columns of the data contract; return the log."""
    data = folder / "data"
    for channel in ("train", "validation"):
        for path in data.glob(f"{channel}*"):
            target = job.base / "input" / "data" / channel
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                target.mkdir(parents=True)
                shutil.copy(path, target)
    if (data / "contract.json").exists():
        for name, value in contract_variables(data / "contract.json").items():
            monkeypatch.setenv(name, value)
    job.program = folder / "container" / "train"
    outcome = job.run()
    assert outcome.code == 0, outcome.stderr
    return outcome.stdout


def held_out(folder: Path) -> list[list[str]]:
    holdout: list[list[str]] = RehearsalData.find([str(folder / "data")]).holdout
    return holdout


@pytest.mark.parametrize(
    ("task", "metric", "least"), [("regression", "r2", 0.3), ("text", "accuracy", 0.8), ("image", "accuracy", 0.85)]
)
def test_an_algorithm_learns_its_data_and_serves(
    task: str,
    metric: str,
    least: float,
    job: Job,
    tmp_path: Path,
    start_server: StartServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = project(tmp_path, task)
    log = train(job, folder, monkeypatch)
    assert f"validation:{metric}=" in log
    server = start_server(job.base, folder / "container").wait_until_ready()
    rows = held_out(folder)
    lines = tmp_path / "rows.csv"
    with lines.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(row[1:] for row in rows)
    reply = server.invoke(lines.read_bytes(), accept="text/csv")
    found = score([row[0] for row in rows], predictions(reply.body, len(rows)))
    assert least < found.metrics[metric] <= 1
    if task == "image":
        picture = base64.b64decode(rows[0][1])
        assert server.invoke(picture, "image/png", "text/csv").body.strip() == predictions(reply.body, len(rows))[0]
        assert server.invoke(b"no picture", "image/png").status == 400
        assert server.invoke(picture, "image/gif").status == 415
    if task == "text":
        record = '{"instances": [{"text": "My invoice is wrong", "orders": null, "channel": "fax"}]}'
        assert server.invoke(record, "application/json").body == '{"predictions": ["billing"]}'
