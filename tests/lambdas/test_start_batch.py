"""An input is scored once, with the model in production; what cannot be scored is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from start_batch.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

NAME, KEY = "iris-1a2b3c", "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
PACKAGE = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{NAME}/7"
TOPIC = "arn:aws:sns:us-east-1:123456789012:iris-approvals"
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{NAME}@sha256:" + "ab" * 32
SETTINGS = {
    "pipeline": NAME,
    "artifact_bucket": "artifacts",
    "data_bucket": "data",
    "input_prefix": "scoring/",
    "output_prefix": "predictions/",
    "output_key_arn": KEY,
    "kms_key_arn": KEY,
    "batch_role_arn": f"arn:aws:iam::123456789012:role/{NAME}-batch",
    "job_prefix": f"{NAME}-batch",
    "topic_arn": TOPIC,
    "subnet_ids": "",
    "security_group_ids": "",
}
DOCUMENT = {
    "transform_job": {
        "TransformInput": {"ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "Tags": [{"Key": "mlops:pipeline", "Value": NAME}],
    }
}
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://artifacts/models/m.tar.gz", "Environment": {"MODE": "fast"}}


class World:
    """The buckets, and what SageMaker and people are asked."""

    def __init__(self, script: Callable[[str], Any]) -> None:
        self.s3 = clients.client("s3")
        for bucket in ("data", "artifacts"):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        self.sagemaker = script("sagemaker")
        self.sns = script("sns").answer("Publish", MessageId="1")

    def ready(self) -> World:
        missing = "Could not find requested job with name"
        self.sagemaker.refuse("DescribeTransformJob", "ValidationException", missing)
        self.sagemaker.answer(
            "DescribeModelPackage", ModelPackageArn=PACKAGE, InferenceSpecification={"Containers": [CONTAINER]}
        )
        self.sagemaker.answer("CreateModel", ModelArn="a").answer("CreateTransformJob", TransformJobArn="b")
        return self

    def release(self, number: int, **record: Any) -> None:
        body = {"release": number, "model_package_arn": PACKAGE, "steps": {}, **record}
        self.s3.put_object(Bucket="artifacts", Key=f"releases/{NAME}/{number}.json", Body=json.dumps(body).encode())

    def upload(self, key: str = "scoring/a.csv", body: bytes = b"1,2\n") -> dict[str, Any]:
        version = self.s3.put_object(Bucket="data", Key=key, Body=body)["VersionId"]
        return {"detail-type": "Object Created", "detail": {"object": {"key": key, "version-id": version}}}

    def job(self) -> dict[str, Any]:
        (request,) = self.sagemaker.requests["CreateTransformJob"]
        return dict(request)

    def json(self, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket="data", Key=key)["Body"].read())

    def record(self) -> Any:
        found = self.s3.list_objects_v2(Bucket="data", Prefix="predictions/")["Contents"]
        (key,) = [one["Key"] for one in found if one["Key"].endswith("record.json")]
        return self.json(key)


@pytest.fixture
def world(
    script: Callable[[str], Any], set_env: Callable[..., None], write_document: Callable[[object], None]
) -> World:
    set_env(SETTINGS)
    write_document(DOCUMENT)
    return World(script)


def test_exactly_the_uploaded_file_is_scored(world: World) -> None:
    world.ready().release(1)
    world.upload("scoring/a.csv.old")

    started = handler(world.upload("scoring/a.csv"), None)["started"]

    request = world.job()
    assert request["TransformJobName"] == request["ModelName"] == started
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    assert source == {"S3DataType": "ManifestFile", "S3Uri": f"s3://data/predictions/{started}/manifest.json"}
    assert world.json(f"predictions/{started}/manifest.json") == [{"prefix": "s3://data/scoring/"}, "a.csv"]


def test_output_and_volumes_are_encrypted_in_a_folder_of_the_job(world: World) -> None:
    world.ready().release(1)

    started = handler(world.upload(), None)["started"]

    request = world.job()
    output = request["TransformOutput"]
    assert (output["S3OutputPath"], output["KmsKeyId"]) == (f"s3://data/predictions/{started}", KEY)
    assert request["TransformResources"]["VolumeKmsKeyId"] == KEY


def test_the_model_is_the_package_in_production_and_isolated(world: World) -> None:
    world.ready().release(1)

    handler(world.upload(), None)

    (model,) = world.sagemaker.requests["CreateModel"]
    assert model["PrimaryContainer"] == CONTAINER
    assert model["EnableNetworkIsolation"] is True
    assert {"Key": "mlops:pipeline", "Value": NAME} in model["Tags"]
    record = world.record()
    assert (record["status"], record["release"], record["image"]) == ("Started", 1, IMAGE)


def test_the_newest_release_is_used(world: World) -> None:
    world.ready()
    for number in (1, 2, 10):
        world.release(number)

    handler(world.upload(), None)

    assert world.record()["release"] == 10


def test_a_challenger_scores_nothing(world: World) -> None:
    world.ready().release(1, role="champion")
    world.release(2, role="challenger")

    handler(world.upload(), None)

    assert world.record()["release"] == 1


def test_a_version_has_one_job_name(world: World) -> None:
    world.ready().release(1)
    event = world.upload()
    started = handler(event, None)["started"]
    world.sagemaker.answer(
        "DescribeTransformJob", TransformJobName=started, TransformJobArn="b", TransformJobStatus="Completed"
    )

    again = handler(event, None)

    assert again["started"] is None
    assert len(world.sagemaker.requests["CreateTransformJob"]) == 1


def test_another_version_has_another_job(world: World) -> None:
    world.ready().release(1)
    one = handler(world.upload(), None)["started"]
    world.ready()

    assert handler(world.upload(), None)["started"] != one


def test_two_deliveries_at_once_are_one_job(world: World) -> None:
    world.ready().release(1)
    world.sagemaker._answers["CreateTransformJob"].clear()
    world.sagemaker.refuse("CreateTransformJob", "ResourceInUse")

    assert handler(world.upload(), None)["started"] is not None
    assert "DeleteModel" not in world.sagemaker.requests


def test_an_older_version_is_left_to_the_newer_one(world: World) -> None:
    world.ready().release(1)
    event = world.upload()
    world.upload()

    assert "newer version" in handler(event, None)["reason"]
    assert world.sagemaker.requests["CreateTransformJob"] == []


def test_a_deleted_file_is_not_scored(world: World) -> None:
    world.ready().release(1)
    event = world.upload()
    world.s3.delete_object(Bucket="data", Key="scoring/a.csv")

    assert handler(event, None)["started"] is None


def test_without_a_release_people_are_told_once(world: World) -> None:
    world.ready()
    event = world.upload()
    assert handler(event, None)["started"] is None
    world.ready()
    handler(event, None)

    (notice,) = world.sns.requests["Publish"]
    assert notice["TopicArn"] == TOPIC
    assert "has released no model yet" in notice["Message"]
    assert world.record()["status"] == "Refused"


def test_what_sagemaker_refuses_is_recorded_and_leaves_no_model(world: World) -> None:
    world.ready().release(1)
    world.sagemaker._answers["CreateTransformJob"].clear()
    world.sagemaker.refuse("CreateTransformJob", "ValidationException", "MaxPayloadInMB").answer("DeleteModel")

    handler(world.upload(), None)

    assert world.record()["reason"] == "ValidationException: MaxPayloadInMB"
    assert len(world.sagemaker.requests["DeleteModel"]) == 1
    assert len(world.sns.requests["Publish"]) == 1


def test_a_full_quota_is_tried_again_by_lambda(world: World) -> None:
    world.ready().release(1)
    world.sagemaker._answers["CreateTransformJob"].clear()
    world.sagemaker.refuse("CreateTransformJob", "ResourceLimitExceeded").answer("DeleteModel")

    with pytest.raises(Exception, match="ResourceLimitExceeded"):
        handler(world.upload(), None)

    assert world.record()["status"] == "Waiting"
    assert world.sns.requests["Publish"] == []


def test_a_schedule_scores_all_files(world: World) -> None:
    world.ready().release(1)
    for key in ("scoring/a.csv", "scoring/deep/b.csv", "scoring/deep/", "elsewhere/c.csv"):
        world.upload(key, b"" if key.endswith("/") else b"1\n")

    started = handler({"detail-type": "Scheduled Event", "id": "e-1", "detail": {}}, None)["started"]

    names = world.json(f"predictions/{started}/manifest.json")
    assert names == [{"prefix": "s3://data/scoring/"}, "a.csv", "deep/b.csv"]
    assert world.record()["input"]["number_of_objects"] == 2


def test_a_schedule_without_files_starts_nothing(world: World) -> None:
    world.ready().release(1)

    assert handler({"detail-type": "Scheduled Event", "id": "e-1", "detail": {}}, None)["started"] is None


@pytest.mark.parametrize(
    "event",
    [{}, {"detail": {"object": {"key": "scoring/a.csv"}}}, {"detail": {"object": {"key": "x/a", "version-id": "1"}}}],
)
def test_any_other_event_is_refused(world: World, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"event has no object|not in scoring/"):
        handler(event, None)
