"""Interrupted training goes on where it stopped, and only where that is right."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import joblib
import pytest
from programs import STOPPED, terminate_after
from sagemaker_contract.training.checkpoints import Checkpoints, fingerprint
from sagemaker_contract.training.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Job


def save(model: object, folder: Path) -> None:
    (folder / "model.txt").write_text(str(model))


def load(folder: Path) -> str:
    return (folder / "model.txt").read_text()


def checkpoints(folder: Path, print_: str = "same") -> Checkpoints:
    return Checkpoints(folder, print_, save, load)


def test_stopped_forest_grows_on_to_the_same_forest(job: Job, iris: list[str], tmp_path: Path) -> None:
    job.channel("train", iris="\n".join(iris)).config("hyperparameters", {"n_estimators": "300"})
    (job.base / "checkpoints").mkdir()
    assert terminate_after(job.start(), "40 of 300 trees") == STOPPED
    shutil.rmtree(job.base / "model")
    outcome = job.run()
    assert outcome.code == 0
    assert "continuing from checkpoint-000001" in outcome.stdout
    assert "\n20 of 300 trees" not in outcome.stdout
    resumed = joblib.load(job.model)
    again = type(job)(tmp_path / "again")
    again.channel("train", iris="\n".join(iris)).config("hyperparameters", {"n_estimators": "300"})
    assert again.run().metrics == outcome.metrics
    whole = joblib.load(again.model)
    assert [tree.random_state for tree in resumed.estimators_] == [tree.random_state for tree in whole.estimators_]


def test_the_newest_is_taken_and_two_are_kept(tmp_path: Path) -> None:
    store = checkpoints(tmp_path)
    for model in ("first", "second", "third"):
        store.write(model)
    assert store.latest() == "third"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-000002", "checkpoint-000003"]


def test_half_copied_checkpoint_gives_way_to_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = checkpoints(tmp_path)
    store.write("first")
    store.write("second")
    (tmp_path / "checkpoint-000002" / "model" / "model.txt").write_text("sec")
    assert store.latest() == "first"
    assert "checkpoint-000002 is not used: its files are incomplete" in capsys.readouterr().out


def test_checkpoint_of_another_job_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints(tmp_path, "other").write("other")
    assert checkpoints(tmp_path).latest() is None
    assert "it was made with other data or other hyperparameters" in capsys.readouterr().out


@pytest.mark.parametrize("label", [None, "", "[]", json.dumps({"fingerprint": "same"})])
def test_checkpoint_without_a_label_is_not_whole(tmp_path: Path, label: str | None) -> None:
    checkpoints(tmp_path).write("first")
    file = tmp_path / "checkpoint-000001" / "checkpoint.json"
    file.unlink() if label is None else file.write_text(label)
    assert checkpoints(tmp_path).latest() is None


def test_fingerprint_is_of_settings_and_content(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("a,1")
    one = fingerprint("settings", {"train": [file]})
    assert fingerprint("settings", {"train": [file]}) == one
    assert fingerprint("others", {"train": [file]}) != one
    file.write_text("a,2")
    assert fingerprint("settings", {"train": [file]}) != one


def test_checkpoints_are_written_every_half_minute_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    run = Run(["algo-1"], "algo-1", lambda: False, checkpoints(tmp_path))
    run.save_checkpoint("early")
    assert list(tmp_path.iterdir()) == []
    now += 31
    run.save_checkpoint("due")
    run.save_checkpoint("early again")
    assert load(tmp_path / "checkpoint-000001" / "model") == "due"
    assert len(list(tmp_path.iterdir())) == 1


def test_run_without_a_folder_keeps_nothing() -> None:
    run = Run(["algo-1"], "algo-1", lambda: False, None)
    run.save_checkpoint("model", now=True)
    assert run.checkpoint is None
