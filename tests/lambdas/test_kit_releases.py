"""Release records are read back, and steps are taken from them instead of being done again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from check_dataset.handler import handler as check_dataset
from lambdas.lake import LIMITS
from train_model.handler import handler as train_model

from handler_kit import clients
from handler_kit.errors import ConfigurationError, StepError
from handler_kit.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Callable

BUCKET, PIPELINE = "artifacts", "iris-1a2b3c"
STEPS = {"CheckDataset": {"DatasetUri": "s3://a/datasets/x"}, "Train": {"JobName": "old", "Image": "forest"}}


@pytest.fixture
def s3() -> Any:
    client = clients.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def put(s3: Any, key: str, content: object) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())


def test_before_the_first_release_there_is_none(s3: Any) -> None:
    assert Releases(s3, BUCKET, PIPELINE).newest_number() == 0


def test_numbers_count_as_numbers_and_other_objects_do_not(s3: Any) -> None:
    for name in ("9.json", "10.json", "99.txt", "x.json", "0.json"):
        put(s3, f"releases/iris-1a2b3c/{name}", {})
    assert Releases(s3, BUCKET, PIPELINE).newest_number() == 10


@pytest.mark.parametrize("other", ["other-4d5e6f", f"{PIPELINE}-too", "iris"])
def test_two_pipelines_with_one_bucket_do_not_see_each_others_records(s3: Any, other: str) -> None:
    ours, theirs = Releases(s3, BUCKET, PIPELINE), Releases(s3, BUCKET, other)
    put(s3, f"releases/{PIPELINE}/1.json", {"steps": STEPS})
    put(s3, f"releases/{other}/1.json", {"steps": {"Train": {"JobName": "theirs"}}})
    put(s3, f"releases/{other}/5.json", {"steps": STEPS})
    assert (ours.newest_number(), theirs.newest_number()) == (1, 5)
    assert ours.read(1)["steps"] == STEPS
    assert theirs.read(1)["steps"] == {"Train": {"JobName": "theirs"}}
    with pytest.raises(ConfigurationError, match="There is no release 5"):
        ours.read(5)


def test_a_step_is_taken_from_the_record(s3: Any) -> None:
    put(s3, "releases/iris-1a2b3c/2.json", {"steps": STEPS})
    taken = Releases(s3, BUCKET, PIPELINE).replay("2", "Train")
    assert taken is not None
    assert taken.outputs == STEPS["Train"]


def test_without_a_release_the_step_is_done(s3: Any) -> None:
    assert Releases(s3, BUCKET, PIPELINE).replay("none", "Train") is None


def test_a_record_that_does_not_tell_of_a_step_cannot_stand_for_it(s3: Any) -> None:
    put(s3, "releases/iris-1a2b3c/2.json", {"steps": STEPS})
    with pytest.raises(StepError, match="does not contain the outputs of RunEvaluation"):
        Releases(s3, BUCKET, PIPELINE).replay("2", "RunEvaluation")


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "../1", "one", ""])
def test_what_is_no_number_is_refused(s3: Any, number: str) -> None:
    with pytest.raises(ConfigurationError, match="must be a release number or none"):
        Releases(s3, BUCKET, PIPELINE).read(number)


def test_a_release_that_is_not_there_is_named(s3: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"There is no release 7, .* \(s3://artifacts/releases/iris-1a2b3c/7\.json\)"
    ):
        Releases(s3, BUCKET, PIPELINE).read(7)


@pytest.mark.parametrize("content", ["{", "[]", '{"steps": 3}'])
def test_what_is_no_record_is_refused(s3: Any, content: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="releases/iris-1a2b3c/7.json", Body=content.encode())
    with pytest.raises(ConfigurationError, match="is not the record of a release"):
        Releases(s3, BUCKET, PIPELINE).read(7)


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
    write_document: Callable[[object], None],
    handler: Any,
    event: str,
    step: str,
) -> None:
    class AnySettings:
        artifact_bucket = BUCKET
        pipeline = PIPELINE
        production_stack = f"{PIPELINE}-production"
        dev_stack = None
        role_arns = ""
        topic_arn = None
        fleets: ClassVar[dict[str, dict[str, str]]] = {}
        # Tuning jobs have shorter names.
        job_prefix = "iris-9f8e7d"

    monkeypatch.setattr(f"{event}.handler.Settings.from_env", lambda: AnySettings)
    write_document(LIMITS)
    sagemaker = script("sagemaker")
    put(s3, "releases/iris-1a2b3c/2.json", {"steps": STEPS})
    handler(load_event(event, params={"release": "2"}), None)
    assert reports.outputs == STEPS[step]
    assert sagemaker.operations() == []
