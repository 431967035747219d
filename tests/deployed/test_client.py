"""The client of a deployed pipeline: it reads, follows and answers, as a person would."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from local_aws.tiny_pipeline import DATA, STEP_SOURCE, Bench, action, make_function, s3_source, step
from patience import PATIENCE_SECONDS

from mlops_constructs import MlopsError
from mlops_constructs.deployed import DeployedPipeline, connect
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        topic = aws.client("sns").create_topic(Name="leads")["TopicArn"]
        asks = action("Approve", "Manual", {"NotificationArn": topic, "CustomData": "accuracy 0.97"})
        source = s3_source(S3ObjectKey="datasets/manifest.json")
        bench.make_pipeline("iris", [source], [asks], [step("One", {"value": "7"})])
        bench.make_pipeline("silent", [source], [action("Wait", "Manual", {})])
        bench.make_pipeline("iris-image", [s3_source(AllowOverrideForS3ObjectKey="false")], [step("Build", {})])
        yield bench


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)


@pytest.fixture
def iris(bench: Bench) -> DeployedPipeline:
    return DeployedPipeline.read(connect("us-east-1", bench.aws.url), "iris")


def started(bench: Bench, pipeline: DeployedPipeline, body: bytes) -> str:
    key = f"{pipeline.prefix}set.csv"
    return pipeline.start(key, bench.upload(body, key))


def waiting(pipeline: DeployedPipeline, execution_id: str) -> Execution:
    """Follow it until a person is asked and can answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for execution in pipeline.executions.follow(execution_id, poll_seconds=0.05):
        assert time.monotonic() < deadline, execution
        (asked,) = [one for one in execution.actions if one.waits] or [None]
        if asked is not None and pipeline.executions.approval_token(asked) is not None:
            return execution
    raise AssertionError("nobody was asked")


def test_a_url_leads_to_a_local_aws(iris: DeployedPipeline) -> None:
    assert (iris.data_bucket, iris.prefix, iris.action) == (DATA, "datasets/", "Dataset")
    assert iris.image_pipeline == "iris-image"


def test_only_pipelines_whose_source_is_a_data_set_are_listed(bench: Bench) -> None:
    found = DeployedPipeline.read_all(connect("us-east-1", bench.aws.url))
    assert [one.name for one in found] == ["iris", "silent"]
    assert found[1].image_pipeline is None


def test_another_pipeline_is_refused(bench: Bench) -> None:
    with pytest.raises(MlopsError, match="iris-image takes no data sets"):
        DeployedPipeline.read(connect("us-east-1", bench.aws.url), "iris-image")


@pytest.mark.parametrize(("approved", "status", "value"), [(True, "Succeeded", "7"), (False, "Failed", "")])
def test_a_person_answers_on_evidence(
    bench: Bench, iris: DeployedPipeline, approved: bool, status: str, value: str
) -> None:
    end = answer_and_end(iris, started(bench, iris, str(approved).encode()), approved=approved)
    assert (end.status, end.variable("One", "Value")) == (status, value)
    assert ("Approve: rejected: seen" in end.reason) is not approved


def answer_and_end(pipeline: DeployedPipeline, execution_id: str, *, approved: bool) -> Execution:
    (asked,) = [one for one in waiting(pipeline, execution_id).actions if one.waits]
    assert asked.evidence == "accuracy 0.97"
    token = pipeline.executions.approval_token(asked)
    assert token is not None
    pipeline.executions.answer(asked, token, approved=approved, summary="seen")
    *_, end = pipeline.executions.follow(execution_id, poll_seconds=0.05)
    return end


def test_a_wait_that_tells_nobody_asks_nobody(bench: Bench) -> None:
    silent = DeployedPipeline.read(connect("us-east-1", bench.aws.url), "silent")
    for execution in silent.executions.follow(started(bench, silent, b"a,1"), poll_seconds=0.05):
        waits = [one for one in execution.actions if one.is_approval]
        if waits:
            assert not waits[0].waits
            return
    raise AssertionError("it never waited")


def test_an_execution_that_does_not_start_is_none(iris: DeployedPipeline) -> None:
    assert iris.executions.wait_for_start(iris.executions.ids(), 0) is None
