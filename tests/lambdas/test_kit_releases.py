"""Release records are read back, and steps are taken from them instead of being done again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from check_dataset.handler import handler as check_dataset
from train_model.handler import handler as train_model

from handler_kit import clients
from handler_kit.errors import ConfigurationError, StepFailure
from handler_kit.releases import newest_number, read_release, replay

if TYPE_CHECKING:
    from collections.abc import Callable

BUCKET = "artifacts"
STEPS = {"CheckDataset": {"DatasetUri": "s3://a/datasets/x"}, "Train": {"JobName": "old", "Image": "forest"}}


@pytest.fixture
def s3() -> Any:
    client = clients.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def put(s3: Any, key: str, content: object) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())


def test_before_the_first_release_there_is_none(s3: Any) -> None:
    assert newest_number(s3, BUCKET) == 0


def test_numbers_count_as_numbers_and_other_objects_do_not(s3: Any) -> None:
    for key in ("releases/9.json", "releases/10.json", "releases/99.txt", "releases/x.json", "releases/0.json"):
        put(s3, key, {})
    assert newest_number(s3, BUCKET) == 10


def test_a_step_is_taken_from_the_record(s3: Any) -> None:
    put(s3, "releases/2.json", {"steps": STEPS})
    taken = replay(s3, BUCKET, "2", "Train")
    assert taken is not None
    assert taken.outputs == STEPS["Train"]


def test_without_a_release_the_step_is_done(s3: Any) -> None:
    assert replay(s3, BUCKET, "none", "Train") is None


def test_a_record_that_does_not_tell_of_a_step_cannot_stand_for_it(s3: Any) -> None:
    put(s3, "releases/2.json", {"steps": STEPS})
    with pytest.raises(StepFailure, match="does not tell what RunEvaluation gave"):
        replay(s3, BUCKET, "2", "RunEvaluation")


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "../1", "one", ""])
def test_what_is_no_number_is_refused(s3: Any, number: str) -> None:
    with pytest.raises(ConfigurationError, match="must be a release number or none"):
        read_release(s3, BUCKET, number)


def test_a_release_that_is_not_there_is_named(s3: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no release 7, .* \(s3://artifacts/releases/7\.json\)"):
        read_release(s3, BUCKET, 7)


@pytest.mark.parametrize("content", ["{", "[]", '{"steps": 3}'])
def test_what_is_no_record_is_refused(s3: Any, content: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="releases/7.json", Body=content.encode())
    with pytest.raises(ConfigurationError, match="is not the record of a release"):
        read_release(s3, BUCKET, 7)


@pytest.mark.parametrize(
    ("handler", "event", "step"),
    [(check_dataset, "check_dataset", "CheckDataset"), (train_model, "train_model", "Train")],
)
def test_a_release_that_is_deployed_again_is_neither_checked_nor_trained(
    s3: Any,
    reports: Any,
    load_event: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    script: Callable[[str], Any],
    handler: Any,
    event: str,
    step: str,
) -> None:
    class AnySettings:
        artifact_bucket = BUCKET

    monkeypatch.setattr(f"{event}.handler.Settings.from_env", lambda: AnySettings)
    sagemaker = script("sagemaker")
    put(s3, "releases/2.json", {"steps": STEPS})
    handler(load_event(event, params={"release": "2"}), None)
    assert reports.outputs == STEPS[step]
    assert sagemaker.operations() == []
