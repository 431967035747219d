"""What the approver reads about champion and challenger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gather_evidence.ab_test import consequence
from gather_evidence.settings import Params, Settings

from handler_kit import clients
from handler_kit.ab_record import ABORTED, RUNNING, Deployed, Record
from handler_kit.ab_record import Test as Trial
from handler_kit.ab_store import Store

GROUP = "iris-1a2b3c"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}"


def settings(ab_test: str | None = "true") -> Settings:
    return Settings(
        pipeline=GROUP,
        artifact_bucket="artifacts",
        production_stack="stack",
        production_fleet="2",
        production_parameters={},
        ab_test=ab_test,
        retraining=None,
    )


def model(slot: str, number: int) -> Deployed:
    return Deployed(
        slot=slot,
        model_package_arn=f"{ARN}/{number}",
        image="image",
        model_data_url="s3://models/m",
        execution_id="x",
        since=1.0,
        why="approved",
    )


def record(state: str | None = None, why: str = "") -> Record:
    if state is None:
        return Record(champion=model("primary", 1))
    test = Trial(
        id="test-1",
        champion=f"{ARN}/1",
        challenger=f"{ARN}/2",
        salt="s",
        plan={},
        plan_sha256="",
        started=1.0,
        state=state,
        why=why,
    )
    return Record(champion=model("primary", 1), challenger=model("secondary", 2), share=0.1, test=test)


@pytest.fixture(autouse=True)
def _bucket(set_env: Any) -> None:
    clients.client("s3").create_bucket(Bucket="artifacts")


def told(found: Record | None, ab_test: str = "none", release: str = "none") -> str:
    s3 = clients.client("s3")
    if found is not None:
        Store(s3, "artifacts", GROUP).write(found, None, now=1.0, by="a test", why="a test")
    params = Params(execution_id="x", model_package_arn=f"{ARN}/3", release=release, ab_test=ab_test)
    return consequence(params, settings(), s3)


def test_a_pipeline_without_ab_tests_says_nothing_of_them() -> None:
    params = Params(execution_id="x", model_package_arn=ARN, release="none")
    assert consequence(params, settings(ab_test=None), clients.client("s3")) == "none"


def test_the_first_release_becomes_the_champion() -> None:
    assert told(None) == "becomes the champion: there is none yet"


def test_a_release_becomes_the_challenger() -> None:
    assert told(record()) == f"becomes the challenger beside the champion {GROUP}/1"


def test_a_release_that_ends_a_test_says_so() -> None:
    assert told(record(RUNNING)).endswith(f"; the challenger {GROUP}/2 is removed, and its test ends")


def test_a_test_that_has_ended_does_not_end_again() -> None:
    assert told(record(ABORTED)).endswith(f"; the challenger {GROUP}/2 is removed")


def test_a_rollback_replaces_the_champion() -> None:
    assert told(record(), release="1").startswith(f"replaces the champion {GROUP}/1")


def test_the_end_of_a_test_keeps_the_champion() -> None:
    assert told(record(ABORTED), ab_test="abort") == f"the challenger is removed; the champion {GROUP}/1 stays"


def test_a_promotion_says_what_the_test_has_shown() -> None:
    clients.client("s3").put_object(
        Bucket="artifacts",
        Key=f"ab/{GROUP}/tests/test-1/report.json",
        Body=json.dumps({"sentence": "The challenger is better."}).encode(),
    )
    said = told(record(RUNNING), ab_test="promote", release="2")
    assert said == "the challenger becomes the champion. The challenger is better."


def test_a_promotion_against_the_report_says_why() -> None:
    said = told(record(RUNNING, why="override: the product manager wants it"), ab_test="promote", release="2")
    assert "override: the product manager wants it. No report was written." in said
