"""A training job that goes well, and jobs whose configuration does not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Job, Trained


def test_job_on_iris_ends_with_zero_and_no_failure(trained: Trained) -> None:
    assert trained.outcome.code == 0, trained.outcome.stderr
    assert not (trained.job.base / "output" / "failure").exists()


def test_model_is_written(trained: Trained) -> None:
    assert trained.job.model.stat().st_size > 0


def test_metric_lines_match_the_metric_definitions(trained: Trained) -> None:
    for name in ("train:accuracy", "validation:accuracy", "validation:f1", "validation:log_loss"):
        assert len(re.findall(f"^{name}=([0-9.eE+-]+);$", trained.outcome.stdout, re.MULTILINE)) == 1


def test_forest_learns_iris(trained: Trained) -> None:
    assert trained.outcome.metrics["validation:accuracy"] > 0.9
    assert 0 < trained.outcome.metrics["validation:log_loss"] < 0.5


def test_evaluation_file_holds_what_was_printed(trained: Trained) -> None:
    evaluation = json.loads(trained.job.evaluation.read_text())
    assert evaluation["metrics"] == pytest.approx(trained.outcome.metrics, rel=1e-5)


def test_every_file_of_a_channel_is_read(trained: Trained) -> None:
    evaluation = json.loads(trained.job.evaluation.read_text())
    assert evaluation["rows"] == {"train": 120, "validation": 30}
    assert evaluation["validation_source"] == "channel"


def test_hyperparameters_reach_the_algorithm(trained: Trained) -> None:
    used = json.loads(trained.job.evaluation.read_text())["hyperparameters"]
    assert (used["n_estimators"], used["max_depth"], used["random_state"]) == (50, 4, 42)


def test_without_validation_rows_are_held_out_and_it_says_so(job: Job, iris: list[str]) -> None:
    outcome = job.channel("train", iris="\n".join(iris)).run()
    assert "no validation channel: 30 rows held out of train, 120 left, by class" in outcome.stdout
    assert json.loads(job.evaluation.read_text())["validation_source"] == "held out of train"


def test_bad_hyperparameters_are_named_all_at_once(job: Job, iris: list[str]) -> None:
    job.channel("train", iris="\n".join(iris))
    outcome = job.config("hyperparameters", {"n_estimators": "many", "depth": "3"}).run()
    assert outcome.code == 1
    assert "n_estimators must be a whole number, got 'many'" in job.failure
    assert "depth is unknown (known: n_estimators, max_depth," in job.failure


def test_broken_configuration_file_is_named(job: Job, iris: list[str]) -> None:
    outcome = job.channel("train", iris="\n".join(iris)).config("hyperparameters", "{n_estimators").run()
    assert outcome.code == 1
    assert job.failure.startswith("input/config/hyperparameters.json is not JSON: ")


def test_several_hosts_are_refused(job: Job, iris: list[str]) -> None:
    job.channel("train", iris="\n".join(iris))
    job.config("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}).run()
    assert job.failure == "this algorithm trains on one instance, but the job has 2 (algo-1, algo-2)"


def test_one_host_is_said(trained: Trained) -> None:
    assert "training on one host, algo-1" in trained.outcome.stdout.splitlines()


def test_algorithm_for_several_hosts_is_told_of_them(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    lines = """
USES_ALL_HOSTS = True
_train = train
def train(data, hyperparameters, run):
    print(f"{run.current_host} in {run.hosts}")
    return _train(data, hyperparameters, run)
"""
    job.program = edited_container(lines) / "train"
    job.channel("train", iris="\n".join(iris)).config("hyperparameters", {"n_estimators": "5"})
    outcome = job.config("resourceconfig", {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}).run()
    assert "training on host algo-2 of algo-1, algo-2" in outcome.stdout.splitlines()
    assert "algo-2 in ('algo-1', 'algo-2')" in outcome.stdout.splitlines()


def test_pipe_mode_is_refused(job: Job) -> None:
    job.config("inputdataconfig", {"train": {"TrainingInputMode": "Pipe"}}).run()
    assert job.failure == "channel 'train' is in Pipe mode; use File or FastFile"


def test_missing_train_channel_is_named(job: Job, iris: list[str]) -> None:
    job.channel("validation", iris="\n".join(iris)).run()
    assert job.failure == "the channel 'train' is missing; the job has validation"


def test_configured_channel_without_a_file_is_named(job: Job) -> None:
    job.channel("train", _SUCCESS="").config("inputdataconfig", {"train": {}}).run()
    assert job.failure == "the channel 'train' has no file"


def test_failure_of_an_earlier_run_does_not_stay(job: Job, iris: list[str]) -> None:
    job.run()
    assert "missing" in job.failure
    assert job.channel("train", iris="\n".join(iris)).run().code == 0
    assert not (job.base / "output" / "failure").exists()


def test_unforeseen_error_gives_its_text_and_the_traceback(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    broken = edited_container("\ndef train(*_):\n    raise ZeroDivisionError('no trees ' + 'x' * 5000)\n")
    job.program = broken / "train"
    outcome = job.channel("train", iris="\n".join(iris)).run()
    assert outcome.code == 1
    assert job.failure.startswith("ZeroDivisionError: no trees xxx")
    assert len(job.failure) == 1024
    assert "Traceback (most recent call last)" in outcome.stderr


def test_metric_that_is_no_number_fails_the_job(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    broken = edited_container("\ndef metrics(*_):\n    return {'accuracy': float('nan')}\n")
    job.program = broken / "train"
    assert job.channel("train", iris="\n".join(iris)).run().code == 1
    assert job.failure == "the metric train:accuracy is nan; it must be a finite number"
