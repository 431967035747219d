"""A schedule starts the pipeline on the newest data set, on exactly its version, and never on nothing in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from start_newest.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"id": "12345678-1234-4234-8234-123456789012", "source": "aws.events"}
SETTINGS = {"pipeline": "iris", "action": "Dataset", "bucket": "data", "prefix": "datasets/", "suffix": ".csv"}


@pytest.fixture
def codepipeline(script: Callable[[str], Any]) -> Any:
    return script("codepipeline").answer("StartPipelineExecution", pipelineExecutionId="e-1")


@pytest.fixture
def put(set_env: Callable[..., None]) -> Callable[..., str]:
    set_env(SETTINGS)
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    return lambda key, body=b"x": s3.put_object(Bucket="data", Key=key, Body=body)["VersionId"]


def revisions(codepipeline: Any) -> dict[str, str]:
    (request,) = codepipeline.requests["StartPipelineExecution"]
    assert request["name"] == "iris"
    assert request["clientRequestToken"] == EVENT["id"]
    return {one["revisionType"]: one["revisionValue"] for one in request.get("sourceRevisions", [])}


def test_the_newest_object_is_started_on_its_newest_version(codepipeline: Any, put: Any) -> None:
    put("datasets/a.csv")
    put("datasets/b.csv")
    newest = put("datasets/b.csv", b"again")
    put("datasets/b.csv.more.csv.txt")
    handler(EVENT, None)
    assert revisions(codepipeline) == {"S3_OBJECT_KEY": "datasets/b.csv", "S3_OBJECT_VERSION_ID": newest}


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("elsewhere/z.csv", b"x"),
        ("datasets/z.txt", b"x"),
        ("datasets/z.csv", b""),
        ("datasets/z/", b""),
    ],
)
def test_what_no_upload_would_start_a_schedule_does_not_either(
    codepipeline: Any, put: Any, key: str, body: bytes
) -> None:
    version = put("datasets/a.csv")
    put(key, body)
    handler(EVENT, None)
    assert revisions(codepipeline)["S3_OBJECT_VERSION_ID"] == version


def test_a_contract_is_no_data_set(codepipeline: Any, put: Any, set_env: Callable[..., None]) -> None:
    set_env({"suffix": ""})
    version = put("datasets/a.csv")
    put("datasets/a.csv.contract.json")
    handler(EVENT, None)
    assert revisions(codepipeline)["S3_OBJECT_VERSION_ID"] == version


def test_without_a_data_set_the_pipeline_starts_and_fails_where_people_see_it(codepipeline: Any, put: Any) -> None:
    handler(EVENT, None)
    assert revisions(codepipeline) == {}


def test_what_aws_refuses_is_raised_for_lambda_to_try_again(script: Callable[[str], Any], put: Any) -> None:
    script("codepipeline").refuse("StartPipelineExecution", "PipelineNotFoundException")
    with pytest.raises(Exception, match="PipelineNotFoundException"):
        handler(EVENT, None)
