"""The end of a batch is recorded once, with the number of its records or with the real reason."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from record_batch.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "iris-1a2b3c"
JOB = f"{NAME}-batch-0123456789abcdef0123"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{JOB}"
EVENT = {"detail": {"TransformJobName": JOB, "TransformJobStatus": "Completed"}}
SETTINGS = {
    "pipeline": NAME,
    "data_bucket": "data",
    "output_prefix": "predictions/",
    "output_key_arn": "",
    "job_prefix": f"{NAME}-batch",
    "topic_arn": "arn:aws:sns:us-east-1:123456789012:iris-approvals",
}


class World:
    """A job that has ended, with its record and its input."""

    def __init__(self, script: Callable[[str], Any]) -> None:
        self.s3 = clients.client("s3")
        self.s3.create_bucket(Bucket="data")
        self.s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        version = self.put("scoring/a.csv", b"1,2\n3,4\n")
        given = {"bucket": "data", "key": "scoring/a.csv", "objects": [{"key": "scoring/a.csv", "version_id": version}]}
        record = {"job": JOB, "status": "Started", "release": 3, "record_uri": "s3://data/r", "input": given}
        self.put(f"predictions/{JOB}/record.json", json.dumps(record).encode())
        self.put(f"predictions/{JOB}/manifest.json", b"[]")
        self.sagemaker = script("sagemaker").answer("DeleteModel")
        self.sns, self.logs = script("sns").answer("Publish", MessageId="1"), script("logs")

    def put(self, key: str, body: bytes) -> str:
        return str(self.s3.put_object(Bucket="data", Key=key, Body=body)["VersionId"])

    def ended(self, status: str, **more: Any) -> None:
        self.sagemaker.answer(
            "DescribeTransformJob",
            TransformJobName=JOB,
            TransformJobArn=ARN,
            TransformJobStatus=status,
            TransformOutput={"S3OutputPath": "s3://data/p", "AssembleWith": "Line"},
            TransformEndTime=datetime(2026, 11, 27, tzinfo=timezone.utc),
            **more,
        )

    def record(self) -> Any:
        return json.loads(self.s3.get_object(Bucket="data", Key=f"predictions/{JOB}/record.json")["Body"].read())


@pytest.fixture
def world(script: Callable[[str], Any], set_env: Callable[..., None]) -> World:
    set_env(SETTINGS)
    return World(script)


def test_predictions_are_counted(world: World) -> None:
    world.put(f"predictions/{JOB}/a.csv.out", b"small\nlarge\n")
    world.ended("Completed")

    handler(EVENT, None)

    record = world.record()
    assert (record["status"], record["output"]["records"]) == ("Completed", 2)
    assert record["output"]["objects"] == [f"predictions/{JOB}/a.csv.out"]
    assert record["ended_at"].startswith("2026-11-27")
    assert world.sns.requests["Publish"] == []


def test_the_model_of_the_job_is_deleted(world: World) -> None:
    world.ended("Completed")

    handler(EVENT, None)

    assert world.sagemaker.requests["DeleteModel"] == [{"ModelName": JOB}]


def test_a_failed_job_has_the_reason_of_its_log(world: World) -> None:
    world.ended("Failed", FailureReason="ClientError: See job logs for more information")
    head = "2026-11-27T00:00:00.000:[sagemaker logs]: "
    answer = ["ClientError: 400", "", "Message:", "no such row"]
    lines = ["MaxConcurrentTransforms=1, MaxPayloadInMB=6", *(f"data/scoring/a.csv: {one}" for one in answer)]
    world.logs.answer("FilterLogEvents", events=[{"message": f"{head}{line}"} for line in lines])

    handler(EVENT, None)

    reason = "ClientError: See job logs for more information data/scoring/a.csv: ClientError: 400 no such row"
    assert (world.record()["status"], world.record()["reason"]) == ("Failed", reason)
    (notice,) = world.sns.requests["Publish"]
    assert reason in notice["Message"]
    assert "s3://data/scoring/a.csv" in notice["Message"]


def test_without_a_log_the_reason_is_sagemakers(world: World) -> None:
    world.ended("Failed", FailureReason="AlgorithmError: See job logs")
    world.logs.refuse("FilterLogEvents", "ResourceNotFoundException")

    handler(EVENT, None)

    assert world.record()["reason"] == "AlgorithmError: See job logs"


def test_a_stopped_job_is_told(world: World) -> None:
    world.ended("Stopped")

    handler(EVENT, None)

    assert "stopped" in world.record()["reason"]
    assert len(world.sns.requests["Publish"]) == 1


def test_an_event_that_comes_again_changes_nothing(world: World) -> None:
    world.ended("Stopped")
    handler(EVENT, None)
    record = world.record()
    world.ended("Stopped")
    world.sagemaker.refuse("DeleteModel", "ValidationException", "Could not find model")

    handler(EVENT, None)

    assert world.record() == record
    assert len(world.sns.requests["Publish"]) == 1


def test_an_input_that_changed_meanwhile_is_told(world: World) -> None:
    world.put("scoring/a.csv", b"9,9\n")
    world.ended("Completed")

    handler(EVENT, None)

    assert world.record()["input_changed"] == ["scoring/a.csv"]
    assert "may be those of a newer version" in world.sns.requests["Publish"][0]["Message"]


def test_a_running_job_is_left_alone(world: World) -> None:
    world.ended("InProgress")

    handler(EVENT, None)

    assert world.record()["status"] == "Started"
    assert "DeleteModel" not in world.sagemaker.requests


def test_the_job_of_another_pipeline_is_refused(world: World) -> None:
    with pytest.raises(Exception, match="not a transform job of iris-1a2b3c"):
        handler({"detail": {"TransformJobName": "other-1-batch-1"}}, None)


def test_a_job_without_a_record_is_a_dead_letter(world: World) -> None:
    world.s3.delete_object(Bucket="data", Key=f"predictions/{JOB}/record.json")
    world.ended("Completed")

    with pytest.raises(Exception, match="has no record"):
        handler(EVENT, None)
