"""SIGTERM to a training job: it ends soon, leaves what it has, and says that it was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import joblib
import pytest
from programs import STOPPED, terminate_after

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Job


@pytest.fixture
def endless(job: Job, iris: list[str]) -> Job:
    return job.channel("train", iris="\n".join(iris)).config("hyperparameters", {"n_estimators": "1000000"})


def test_46_stopped_training_saves_the_trees_it_has(endless: Job) -> None:
    assert terminate_after(endless.start(), "40 of 1000000 trees") == STOPPED
    assert 40 <= len(joblib.load(endless.model).estimators_) < 1_000_000
    assert endless.failure == "stopped by SIGTERM; the model trained so far is saved, but not evaluated"
    assert not endless.evaluation.exists()


def test_stop_before_training_says_so(endless: Job, edited_container: Callable[[str], Path]) -> None:
    slow = "\ndef load_data(*_):\n    import time\n    print('reading', flush=True)\n    time.sleep(60)\n"
    endless.program = edited_container(slow) / "train"
    assert terminate_after(endless.start(), "reading") == STOPPED
    assert endless.failure == "stopped by SIGTERM before the job was complete"
    assert not endless.model.exists()


def test_algorithm_that_does_not_listen_is_ended_in_time(endless: Job, edited_container: Callable[[str], Path]) -> None:
    deaf = "\ndef train(*_):\n    import time\n    print('deaf', flush=True)\n    time.sleep(60)\n"
    container = edited_container(deaf)
    stopping = container / "sagemaker_contract" / "training" / "stopping.py"
    stopping.write_text(stopping.read_text().replace("GRACE_SECONDS = 90", "GRACE_SECONDS = 1"))
    endless.program = container / "train"
    assert terminate_after(endless.start(), "deaf") == STOPPED
    assert endless.failure == "stopped by SIGTERM; the training returned no model within 1 seconds"
