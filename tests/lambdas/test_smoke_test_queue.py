"""The smoke test of an asynchronous endpoint: its golden records go through S3 and the endpoint's queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from smoke_test import queued
from smoke_test.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = "iris-1a2b3c-dev"
BUCKET = "iris-1a2b3c-artifacts-123456789012-us-east-1"
FOLDER = "async/iris-1a2b3c/dev"
GOLDEN_KEY = "datasets/3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17/golden.csv"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
MODEL = f"s3://{BUCKET}/models/iris-1a2b3c-3f2b9c1e7d54/output/model.tar.gz"
OUTPUT = {
    "S3OutputPath": f"s3://{BUCKET}/{FOLDER}/output",
    "S3FailurePath": f"s3://{BUCKET}/{FOLDER}/failure",
}


@pytest.fixture(autouse=True)
def _ready(set_env: Callable[..., None], script: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    set_env({"max_latency_ms": "60000", "min_accuracy": "0.5", "accept": "text/csv"})
    set_env({"absolute_tolerance": "0.0", "relative_tolerance": "0.0", "max_rmse": "", "max_mae": ""})
    set_env({"confidence_level": "", "production_endpoint": ""})
    monkeypatch.setattr("time.sleep", lambda _: None)
    s3 = clients.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=GOLDEN_KEY, Body=b"setosa,5.1,3.5\nvirginica,6.3,3.3\n")
    sagemaker = script("sagemaker")
    for _ in range(3):
        sagemaker.answer(
            "DescribeEndpoint",
            EndpointName=ENDPOINT,
            EndpointArn=f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{ENDPOINT}",
            EndpointConfigName="config",
            EndpointStatus="InService",
            CreationTime=0,
            LastModifiedTime=0,
        )
        sagemaker.answer(
            "DescribeEndpointConfig",
            EndpointConfigName="config",
            EndpointConfigArn="arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/config",
            ProductionVariants=[{"VariantName": "primary", "ModelName": "m"}],
            AsyncInferenceConfig={"OutputConfig": OUTPUT},
            CreationTime=0,
        )
        sagemaker.answer(
            "DescribeModel",
            ModelName="m",
            ModelArn="arn:aws:sagemaker:us-east-1:123456789012:model/m",
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": MODEL},
            CreationTime=0,
        )


@pytest.fixture
def runtime(script: Callable[[str], Any]) -> Any:
    found = script("sagemaker-runtime")
    for name in ("one", "both"):
        found.answer(
            "InvokeEndpointAsync",
            InferenceId=name,
            OutputLocation=f"s3://{BUCKET}/{FOLDER}/output/{name}.out",
            FailureLocation=f"s3://{BUCKET}/{FOLDER}/failure/{name}-error.out",
        )
    return found


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    return lambda token=None, **params: handler(load_event("smoke_test", params=params, token=token), None)


def write(name: str, body: bytes) -> None:
    """What SageMaker writes."""
    clients.client("s3").put_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}", Body=body)


def test_right_answers_of_a_queue_pass(call: Any, runtime: Any, reports: Any) -> None:
    write("output/one.out", b"setosa\n")
    write("output/both.out", b"setosa\nvirginica\n")
    call()
    assert reports.outputs["Accuracy"] == "1"
    assert reports.outputs["Summary"].startswith("2 of 2 golden records right, p95 ")


def test_one_record_and_all_of_them_are_objects_beside_the_responses(call: Any, runtime: Any, reports: Any) -> None:
    write("output/one.out", b"setosa\n")
    write("output/both.out", b"setosa\nvirginica\n")
    call()
    requests = runtime.requests["InvokeEndpointAsync"]
    keys = [one["InputLocation"].removeprefix(f"s3://{BUCKET}/") for one in requests]
    assert all(key.startswith(f"{FOLDER}/input/smoke-test/") for key in keys)
    bodies = [clients.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
    assert bodies == [b"5.1,3.5", b"5.1,3.5\n6.3,3.3"]
    assert {(one["ContentType"], one["Accept"], one["RequestTTLSeconds"]) for one in requests} == {
        ("text/csv", "text/csv", 7200)
    }


def test_without_a_response_the_action_waits_and_sends_nothing_again(call: Any, runtime: Any, reports: Any) -> None:
    call()
    token = reports.token
    assert json.loads(token)["awaits"].startswith(f"{ENDPOINT} s3://")
    waiting = reports.only("success")["executionDetails"]["summary"]
    assert waiting == f"Endpoint {ENDPOINT}: without a response to the golden records"
    write("output/one.out", b"setosa\n")
    write("output/both.out", b"setosa\nvirginica\n")
    call(token)
    _, (_, report) = reports.all
    assert report["outputVariables"]["Accuracy"] == "1"
    assert len(runtime.requests["InvokeEndpointAsync"]) == 2


def test_after_the_deadline_the_action_fails(call: Any, runtime: Any, reports: Any) -> None:
    sent = [queued.Sent(f"s3://{BUCKET}/{FOLDER}/output/x.out", f"s3://{BUCKET}/{FOLDER}/failure/x")]
    call(json.dumps({"v": 1, "awaits": queued.encode(ENDPOINT, sent), "deadline": 1}))
    assert f"Endpoint {ENDPOINT} is still without a response to the golden records" in reports.message


def test_the_reason_of_a_failure_is_told(call: Any, runtime: Any, reports: Any) -> None:
    write("failure/both-error.out", b'Received server error (500) from primary with message "no such column".')
    call()
    assert "returned an error: Received server error (500)" in reports.message
    assert "no such column" in reports.message


def test_wrong_answers_of_a_queue_fail(call: Any, runtime: Any, reports: Any, set_env: Callable[..., None]) -> None:
    set_env({"min_accuracy": "0.9"})
    write("output/one.out", b"setosa\n")
    write("output/both.out", b"setosa\nsetosa\n")
    call()
    assert "1 of 2 golden records right" in reports.message


def test_a_response_with_another_number_of_lines_fails(call: Any, runtime: Any, reports: Any) -> None:
    write("output/one.out", b"setosa\n")
    write("output/both.out", b"setosa\n")
    call()
    assert "returned 1 predictions for 2 records" in reports.message


@pytest.mark.parametrize("awaits", ["other", f"{ENDPOINT} s3://a/b", f"{ENDPOINT} s3://a/b http://c"])
def test_a_token_of_something_else_is_refused(call: Any, runtime: Any, reports: Any, awaits: str) -> None:
    call(json.dumps({"v": 1, "awaits": awaits, "deadline": 1}))
    assert "did not write the continuation token" in reports.message


def test_a_token_holds_where_the_responses_will_be() -> None:
    sent = [queued.Sent("s3://a/1", "s3://a/2"), queued.Sent("s3://a/3", "s3://a/4")]
    assert queued.decode(ENDPOINT, queued.encode(ENDPOINT, sent)) == sent
    assert queued.decode(ENDPOINT, ENDPOINT) == []
