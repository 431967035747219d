"""A candidate scores the golden records in a transform job before anybody approves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from batch_smoke_test.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "iris-1a2b3c"
JOB = f"{NAME}-golden-3f2b9c1e7d54"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{JOB}"
PACKAGE = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{NAME}/7"
GOLDEN = f"datasets/{NAME}/3f2b9c1e/golden.csv"
PIPELINE_JOB = "11111111-2222-4333-8444-555555555555"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
NOW = 1_790_000_000
SETTINGS = {
    "pipeline": NAME,
    "artifact_bucket": "artifacts",
    "kms_key_arn": KEY,
    "batch_role_arn": f"arn:aws:iam::123456789012:role/{NAME}-batch",
    "job_prefix": f"{NAME}-golden",
    "subnet_ids": "subnet-1,subnet-2",
    "security_group_ids": "sg-1",
    "max_latency_ms": "",
    "min_accuracy": "1.0",
    "absolute_tolerance": "",
    "relative_tolerance": "",
    "max_rmse": "",
    "max_mae": "",
}
DOCUMENT = {
    "transform_job": {
        "TransformInput": {"ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "Environment": {"MODE": "fast"},
    }
}


@pytest.fixture
def s3(set_env: Callable[..., None], write_document: Callable[[object], None], monkeypatch: pytest.MonkeyPatch) -> Any:
    set_env(SETTINGS)
    write_document(DOCUMENT)
    monkeypatch.setattr("time.time", lambda: float(NOW))
    client = clients.client("s3")
    client.create_bucket(Bucket="artifacts")
    client.put_object(Bucket="artifacts", Key=GOLDEN, Body=b"small,1,2\nlarge,3,4\n")
    return client


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    container = {
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/i@sha256:" + "ab" * 32,
        "ModelDataUrl": "s3://artifacts/m.tar.gz",
    }
    specification = {"Containers": [container]}
    return (
        script("sagemaker")
        .answer("DescribeModelPackage", ModelPackageArn=PACKAGE, InferenceSpecification=specification)
        .answer("CreateModel", ModelArn="a")
        .answer("CreateTransformJob", TransformJobArn=ARN)
        .answer("DeleteModel")
    )


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    given = {"golden_uri": f"s3://artifacts/{GOLDEN}"}

    def call(token: str | None = None, **params: str) -> None:
        handler(load_event("batch_smoke_test", params={**given, **params}, token=token), None)

    return call


def token() -> str:
    return json.dumps({"v": 1, "awaits": JOB, "deadline": NOW + 3600})


def described(status: str, **more: Any) -> dict[str, Any]:
    return {
        "TransformJobName": JOB,
        "TransformJobArn": ARN,
        "TransformJobStatus": status,
        "Environment": {"MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB},
        **more,
    }


def predicted(s3: Any, body: bytes) -> None:
    s3.put_object(Bucket="artifacts", Key=f"batch-tests/{NAME}/{JOB}/out/golden.csv.out", Body=body)


def test_the_records_are_scored_without_their_labels(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    call()

    (request,) = sagemaker.requests["CreateTransformJob"]
    source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    assert source == f"s3://artifacts/batch-tests/{NAME}/{JOB}/in/golden.csv"
    body = s3.get_object(Bucket="artifacts", Key=source.removeprefix("s3://artifacts/"))["Body"].read()
    assert body == b"1,2\n3,4"
    assert json.loads(reports.token)["awaits"] == JOB


def test_the_model_is_the_candidate_in_the_network_of_the_pipeline(
    s3: Any, sagemaker: Any, call: Any, reports: Any
) -> None:
    call()

    (model,) = sagemaker.requests["CreateModel"]
    assert model["ModelName"] == JOB
    assert model["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert sagemaker.requests["DescribeModelPackage"] == [{"ModelPackageName": PACKAGE}]


def test_right_predictions_pass(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    predicted(s3, b"small\nlarge\n")
    sagemaker.answer("DescribeTransformJob", **described("Completed"))

    call(token())

    assert reports.outputs == {"Summary": "2 of 2 golden records right"}
    assert sagemaker.requests["DeleteModel"] == [{"ModelName": JOB}]


def test_wrong_predictions_fail(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    predicted(s3, b"small\nsmall\n")
    sagemaker.answer("DescribeTransformJob", **described("Completed"))

    call(token())

    assert "1 of 2 golden records right; at least 1 must be right" in reports.message


def test_too_few_predictions_fail(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    predicted(s3, b"small\n")
    sagemaker.answer("DescribeTransformJob", **described("Completed"))

    call(token())

    assert "returned 1 predictions for 2 golden records" in reports.message


def test_a_failed_job_fails_with_the_reason_of_its_log(
    s3: Any, sagemaker: Any, call: Any, reports: Any, script: Callable[[str], Any]
) -> None:
    sagemaker.answer("DescribeTransformJob", **described("Failed", FailureReason="ClientError: See job logs"))
    line = "x:[sagemaker logs]: artifacts/golden.csv: ClientError: 400"
    script("logs").answer("FilterLogEvents", events=[{"message": line}])

    call(token())

    assert "ended as Failed: ClientError: See job logs" in reports.message
    assert "artifacts/golden.csv: ClientError: 400" in reports.message
    assert len(sagemaker.requests["DeleteModel"]) == 1


def test_a_running_job_is_waited_for(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTransformJob", **described("InProgress"))

    call(token())

    assert json.loads(reports.token)["awaits"] == JOB
    assert "DeleteModel" not in sagemaker.requests


def test_an_event_that_comes_again_adopts_the_job(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    source = {"DataSource": {"S3DataSource": {"S3Uri": f"s3://artifacts/batch-tests/{NAME}/{JOB}/in/golden.csv"}}}
    sagemaker._answers["CreateTransformJob"].clear()
    sagemaker.refuse("CreateTransformJob", "ResourceInUse")
    sagemaker.answer("DescribeTransformJob", **described("InProgress", ModelName=JOB, TransformInput=source))

    call()

    assert json.loads(reports.token)["awaits"] == JOB
    assert "DeleteModel" not in sagemaker.requests


def test_without_golden_records_there_is_no_job(s3: Any, sagemaker: Any, call: Any, reports: Any) -> None:
    call(golden_uri="none")

    assert reports.outputs == {"Summary": "there are no golden records to score"}
    assert sagemaker.requests["CreateTransformJob"] == []
