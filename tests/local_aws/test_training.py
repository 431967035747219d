"""Training jobs of the local AWS, and the images they run."""

from __future__ import annotations

import io
import tarfile
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import (
    forbidden,
    local_aws,
    make_role,
    push_container,
    wait_until,
    write_container,
)
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.containers.images import context_digest
from mlops_constructs.local_aws.sagemaker.job_files import JobError, download_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "training-data"
FINISHED = ("Completed", "Failed", "Stopped")


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as local:
        s3 = local.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="set/train/train.csv", Body=b"a,1\nb,2\n")
        yield local


@pytest.fixture(scope="module")
def image(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> str:
    return push_container(aws, write_container(tmp_path_factory.mktemp("container")))


@pytest.fixture(scope="module")
def role(aws: LocalAws) -> str:
    return make_role(aws, "training", "sagemaker.amazonaws.com")


@pytest.fixture(scope="module")
def request_of(image: str, role: str) -> Any:
    def request(name: str, **changes: Any) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/set/train"}
        metric = {"Name": "validation:accuracy", "Regex": "validation:accuracy=([0-9.eE+-]+);"}
        return {
            "TrainingJobName": name,
            "AlgorithmSpecification": {
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [metric, {"Name": "absent", "Regex": "absent=(.*)"}],
            },
            "RoleArn": role,
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models/", "KmsKeyId": "alias/aws/s3"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **changes,
        }

    return request


def run(aws: LocalAws, request: dict[str, Any]) -> dict[str, Any]:
    aws.client("sagemaker").create_training_job(**request)
    return finished(aws, request["TrainingJobName"])


def finished(aws: LocalAws, name: str) -> dict[str, Any]:
    def described() -> dict[str, Any] | None:
        job: dict[str, Any] = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in FINISHED else None

    job: dict[str, Any] = wait_until(described)
    return job


def members(aws: LocalAws, key: str) -> dict[str, bytes]:
    body = aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive if member.isfile()]
        return {name: file.read() for name, file in files if file is not None}


def test_job_trains_on_the_channel_and_leaves_its_model_in_s3(aws: LocalAws, request_of: Any) -> None:
    job = run(aws, request_of("good", HyperParameters={"answer": "virginica"}, Environment={"TOLD": "b a"}))

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/good/output/model.tar.gz"
    assert members(aws, "models/good/output/model.tar.gz") == {"model.json": b'{"answer": "virginica"}'}
    assert members(aws, "models/good/output/output.tar.gz") == {"report.txt": b"seen: a,b"}
    stored = aws.client("s3").get_object(Bucket=BUCKET, Key="models/good/output/model.tar.gz")
    assert stored["ServerSideEncryption"] == "aws:kms"
    # The flag of the fastest compression in the header of gzip (RFC 1952); 2 is that of the slowest.
    assert stored["Body"].read(9)[8] == 4


def test_channel_keeps_the_folders_of_its_keys(aws: LocalAws, tmp_path: Path) -> None:
    s3 = aws.client("s3")
    for key in ("pictures/cat/0.png", "pictures/dog/0.png", "clash/a", "clash/a/b"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    assert download_prefix(s3, f"s3://{BUCKET}/pictures/", tmp_path / "train") == 2
    assert {path.parent.name for path in tmp_path.rglob("0.png")} == {"cat", "dog"}
    with pytest.raises(JobError, match="'a/b' is an object, and a folder of others"):
        download_prefix(s3, f"s3://{BUCKET}/clash/", tmp_path / "clash")


def test_job_goes_through_sagemakers_secondary_statuses(aws: LocalAws, request_of: Any) -> None:
    job = run(aws, request_of("statuses"))

    told = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert told == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]


def test_final_metric_is_the_last_value_in_the_log(aws: LocalAws, request_of: Any) -> None:
    job = run(aws, request_of("metrics"))

    assert {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]} == {
        "validation:accuracy": pytest.approx(0.92)
    }


def test_output_goes_to_cloudwatch_logs(aws: LocalAws, request_of: Any) -> None:
    run(aws, request_of("logged"))
    logs, group = aws.client("logs"), "/aws/sagemaker/TrainingJobs"

    def messages() -> list[str]:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="logged/")["logStreams"]
        if not streams:
            return []
        name = streams[0]["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
        return [event["message"] for event in events]

    assert wait_until(messages) == ["validation:accuracy=0.5;", "validation:accuracy=0.92;"]


def test_failure_file_becomes_the_reason(aws: LocalAws, request_of: Any) -> None:
    job = run(aws, request_of("failing", HyperParameters={"failure": "the label column has one class"}))

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the label column has one class, exit code: 1"
    assert "ModelArtifacts" not in job


def test_failure_without_a_file_shows_the_last_lines(aws: LocalAws, request_of: Any) -> None:
    job = run(aws, request_of("crashing", HyperParameters={"crash": "yes"}))

    assert "Traceback: it broke, exit code: 1" in job["FailureReason"]


def test_failure_reason_keeps_1024_characters_of_the_file(aws: LocalAws, request_of: Any) -> None:
    job = run(aws, request_of("long-failure", HyperParameters={"failure": "x" * 2000}))

    assert job["FailureReason"] == f"AlgorithmError: {'x' * 1024}, exit code: 1"


def test_name_is_used_up(aws: LocalAws, request_of: Any) -> None:
    run(aws, request_of("once"))

    with pytest.raises(ClientError, match="ResourceInUse"):
        aws.client("sagemaker").create_training_job(**request_of("once"))


@pytest.mark.parametrize("name", ["a_b", "-a", "a" * 64])
def test_bad_name_is_refused(aws: LocalAws, request_of: Any, name: str) -> None:
    with pytest.raises(ClientError, match=r"trainingJobName|TrainingJobName"):
        aws.client("sagemaker").create_training_job(**request_of(name))


def test_unknown_image_is_refused_with_its_uri(aws: LocalAws, request_of: Any, image: str) -> None:
    request = request_of("no-image")
    request["AlgorithmSpecification"]["TrainingImage"] = image[:-4] + "0000"

    with pytest.raises(ClientError, match=f"Cannot find the requested image: {image[:-4]}0000"):
        run(aws, request)


def test_foreign_image_fails_the_job(aws: LocalAws, request_of: Any) -> None:
    request = request_of("foreign-image")
    request["AlgorithmSpecification"]["TrainingImage"] = "docker.io/library/python:3.12"

    assert "is not an image in ECR" in run(aws, request)["FailureReason"]


def test_empty_channel_fails_the_job(aws: LocalAws, request_of: Any) -> None:
    request = request_of("no-data")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/nothing"

    assert "No S3 objects found" in run(aws, request)["FailureReason"]


def test_role_that_does_not_trust_sagemaker_is_refused(aws: LocalAws, request_of: Any) -> None:
    other = make_role(aws, "for-lambda", "lambda.amazonaws.com")

    with pytest.raises(ClientError, match="Could not assume role"):
        aws.client("sagemaker").create_training_job(**request_of("no-trust", RoleArn=other))


def test_job_in_a_vpc_needs_a_role_that_may_make_network_interfaces(aws: LocalAws, request_of: Any) -> None:
    network = {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
    with forbidden(aws, "training", "ec2:CreateNetworkInterface"):
        assert run(aws, request_of("without-vpc"))["TrainingJobStatus"] == "Completed"
        job = run(aws, request_of("no-interfaces", **network))
    assert job["TrainingJobStatus"] == "Failed"
    assert "cannot start an instance" in job["FailureReason"]
    assert "is not authorized to perform: ec2:CreateNetworkInterface" in job["FailureReason"]
    assert run(aws, request_of("interfaces", **network))["TrainingJobStatus"] == "Completed"


def test_encrypted_volume_needs_a_role_that_may_grant_its_key(aws: LocalAws, request_of: Any) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    resources = {**request_of("any")["ResourceConfig"], "VolumeKmsKeyId": key}
    with forbidden(aws, "training", "kms:CreateGrant"):
        job = run(aws, request_of("no-grant", ResourceConfig=resources))
    assert (
        f"is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:{aws.region}" in job["FailureReason"]
    )
    assert run(aws, request_of("grant", ResourceConfig=resources))["TrainingJobStatus"] == "Completed"


def test_stopped_job_is_stopped(aws: LocalAws, request_of: Any) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request_of("stopped", HyperParameters={"sleep": "600"}))
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName="stopped")["SecondaryStatus"] == "Training")

    sagemaker.stop_training_job(TrainingJobName="stopped")

    job = finished(aws, "stopped")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    with pytest.raises(ClientError, match="status Stopped"):
        sagemaker.stop_training_job(TrainingJobName="stopped")


def test_only_a_job_that_has_ended_can_be_deleted(aws: LocalAws, request_of: Any) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request_of("deleted", HyperParameters={"sleep": "60"}))
    with pytest.raises(ClientError, match="is InProgress: it cannot be deleted"):
        sagemaker.delete_training_job(TrainingJobName="deleted")
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName="deleted")["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName="deleted")
    finished(aws, "deleted")

    sagemaker.delete_training_job(TrainingJobName="deleted")

    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="deleted")
    assert run(aws, request_of("deleted"))["TrainingJobStatus"] == "Completed"


def test_maximum_runtime_ends_the_job(aws: LocalAws, request_of: Any) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    job = run(aws, request_of("slow", HyperParameters={"sleep": "60"}, StoppingCondition=limit))

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_jobs_are_listed_and_tagged(aws: LocalAws, request_of: Any) -> None:
    sagemaker = aws.client("sagemaker")
    job = run(aws, request_of("tagged", Tags=[{"Key": "execution", "Value": "1"}]))
    sagemaker.add_tags(ResourceArn=job["TrainingJobArn"], Tags=[{"Key": "more", "Value": "2"}])

    tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]

    assert tags == [{"Key": "execution", "Value": "1"}, {"Key": "more", "Value": "2"}]
    listed = sagemaker.list_training_jobs(NameContains="tagged")["TrainingJobSummaries"]
    assert [item["TrainingJobName"] for item in listed] == ["tagged"]


def test_describing_an_unknown_job_is_an_error(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Requested resource not found"):
        aws.client("sagemaker").describe_training_job(TrainingJobName="never-made")


def test_same_files_give_the_same_digest(tmp_path: Path) -> None:
    first, second = write_container(tmp_path / "a"), write_container(tmp_path / "b")
    assert context_digest(first) == context_digest(second)

    (second / "train").chmod(0o644)
    assert context_digest(first) != context_digest(second)


def test_closing_ends_a_training_program_at_once(aws: LocalAws, request_of: Any) -> None:
    """Last in this file: it closes the local AWS."""
    aws.client("sagemaker").create_training_job(**request_of("closing", HyperParameters={"sleep": "60"}))
    training = aws.sagemaker.training_jobs
    container = wait_until(lambda: training.find("closing").container)

    started = time.monotonic()
    aws.close()

    assert time.monotonic() - started < PATIENCE_SECONDS
    assert container.exit_code() is not None
    assert not aws.workdir.exists()
