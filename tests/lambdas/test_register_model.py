"""A model is registered once per execution, with its lineage, and handed to the deployments."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from register_model import handler as module
from register_model.handler import handler
from register_model.release import Release
from register_model.report import parse_report

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "iris-1a2b3c"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
JOB = "iris-1a2b3c-3f2b9c1e7d54"
BUCKET = "iris-1a2b3c-artifacts-123456789012-us-east-1"
OLDER_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "cd" * 32
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
MODEL = f"s3://{BUCKET}/models/{JOB}/output/model.tar.gz"
STACKS = {"dev": {"EndpointName": "iris-dev"}, "production": {"EndpointName": "iris-production"}}
METRICS = {"validation:accuracy": 0.9666666388511658, "train:accuracy": 1.0}


@pytest.fixture(autouse=True)
def _registry(set_env: Callable[..., None]) -> None:
    set_env(
        {
            "model_package_group": GROUP,
            "stack_parameters": json.dumps(STACKS),
            "artifact_bucket": BUCKET,
            "serving_image": "",
            "environment": "{}",
        }
    )
    clients.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    clients.client("s3").create_bucket(Bucket=BUCKET)


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


def trained(status: str = "Completed", metrics: dict[str, float] | None = None, **more: Any) -> dict[str, Any]:
    values = METRICS if metrics is None else metrics
    return {
        "TrainingJobName": JOB,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{JOB}",
        "TrainingJobStatus": status,
        "CreationTime": datetime.now(timezone.utc) - timedelta(minutes=5),
        "AlgorithmSpecification": {"TrainingImage": IMAGE},
        "ModelArtifacts": {"S3ModelArtifacts": MODEL},
        "FinalMetricDataList": [{"MetricName": name, "Value": value} for name, value in values.items()],
        **more,
    }


def packages() -> list[dict[str, Any]]:
    return clients.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]


def archive() -> dict[str, Any]:
    body = clients.client("s3").get_object(Bucket=BUCKET, Key="iris-1a2b3c/Release/Qx7Lr0a")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as content:
        return {name: json.loads(content.read(name)) for name in content.namelist()}


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]], sagemaker: Any) -> Callable[..., None]:
    def call(*, params: dict[str, str] | None = None, **more: Any) -> None:
        sagemaker.answer("DescribeTrainingJob", **trained(**more))
        handler(load_event("register_model", params=params), None)

    return call


def test_the_package_waits_for_approval(call: Any, reports: Any) -> None:
    call()
    assert packages()[0]["ModelApprovalStatus"] == "PendingManualApproval"


def test_the_package_records_its_lineage_and_metrics(call: Any, reports: Any) -> None:
    call()
    arn = reports.outputs["ModelPackageArn"]
    package = clients.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert package["CustomerMetadataProperties"] == {
        "execution_id": EXECUTION,
        "training_job_arn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{JOB}",
        "dataset_version": "L4kqtJlcpXroDTDmpUMLUo",
        "dataset_sha256": "0f" * 32,
        "image": IMAGE,
        "commit": "unknown",
        "metric.validation:accuracy": "0.9666666388511658",
        "metric.train:accuracy": "1.0",
    }


def test_a_tag_that_stayed_a_tag_is_said_in_the_record(call: Any, reports: Any) -> None:
    tagged = IMAGE.replace("@sha256:" + "ab" * 32, ":v1")
    call(AlgorithmSpecification={"TrainingImage": tagged})
    assert registered(reports)["image"] == f"{tagged} - digest unknown: the registry did not return it"


def test_the_package_serves_image_and_model(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    request = sagemaker.requests["CreateModelPackage"][0]
    assert request["InferenceSpecification"] == {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": MODEL}],
        "SupportedContentTypes": ["text/csv", "application/json"],
        "SupportedResponseMIMETypes": ["text/csv", "application/json"],
    }
    assert request["ClientToken"] == EXECUTION


def test_01_a_redelivered_event_finds_its_package(call: Any, reports: Any) -> None:
    call()
    call()
    assert len(packages()) == 1
    first, second = reports.requests["PutJobSuccessResult"]
    assert first == second


def test_a_package_of_another_execution_is_not_taken_for_ours(call: Any, sagemaker: Any, reports: Any) -> None:
    clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelPackageDescription="Trained by pipeline execution another"
    )
    call()
    assert len(packages()) == 2


def test_the_search_ends_at_packages_older_than_the_training(call: Any, sagemaker: Any, reports: Any) -> None:
    old = datetime.now(timezone.utc) - timedelta(days=1)
    summary = {
        "ModelPackageArn": "arn:old",
        "ModelPackageDescription": f"Trained by pipeline execution {EXECUTION}",
        "CreationTime": old,
        "ModelPackageStatus": "Completed",
    }
    sagemaker.answer("ListModelPackages", ModelPackageSummaryList=[summary], NextToken="more")
    call()
    assert len(sagemaker.requests["ListModelPackages"]) == 1
    assert len(sagemaker.requests["CreateModelPackage"]) == 1


def test_the_release_gives_each_stack_its_parameters(call: Any, reports: Any) -> None:
    call()
    assert archive()["production.json"] == {
        "Parameters": {
            "EndpointName": "iris-production",
            "Image": IMAGE,
            "ModelDataUrl": MODEL,
            "ModelPackageArn": reports.outputs["ModelPackageArn"],
            "ExecutionId": EXECUTION,
        }
    }
    assert archive()["dev.json"]["Parameters"]["EndpointName"] == "iris-dev"


def test_the_release_carries_what_the_data_set_asks_of_the_endpoints(call: Any, reports: Any) -> None:
    asked = {"training": {}, "endpoints": {"dev": {"InstanceType": "ml.c5.large", "EndpointName": "another"}}}
    clients.client("s3").put_object(Bucket=BUCKET, Key="datasets/x/request.json", Body=json.dumps(asked).encode())
    call(params={"request_uri": f"s3://{BUCKET}/datasets/x/request.json"})
    assert archive()["dev.json"]["Parameters"]["InstanceType"] == "ml.c5.large"
    assert archive()["dev.json"]["Parameters"]["EndpointName"] == "iris-dev"
    assert "InstanceType" not in archive()["production.json"]["Parameters"]


def test_it_is_on_record_what_was_trained_on(call: Any, reports: Any) -> None:
    call()
    body = clients.client("s3").get_object(Bucket=BUCKET, Key=f"trained/{GROUP}/{'0f' * 32}.json")["Body"].read()
    assert json.loads(body) == {
        "execution_id": EXECUTION,
        "model_package_arn": reports.outputs["ModelPackageArn"],
        "dataset_version": "L4kqtJlcpXroDTDmpUMLUo",
    }


def test_the_release_tells_its_lineage(call: Any, reports: Any) -> None:
    call()
    release = archive()["release.json"]
    assert release["dataset_uri"] == f"s3://{BUCKET}/datasets/{EXECUTION}"
    assert release["metrics"]["train:accuracy"] == "1.0"


def test_the_release_is_encrypted_with_the_key_of_the_artifact_store(
    call: Any, reports: Any, load_event: Callable[..., dict[str, Any]]
) -> None:
    call()
    key = load_event("register_model")["CodePipeline.job"]["data"]["encryptionKey"]["id"]
    head = clients.client("s3").head_object(Bucket=BUCKET, Key="iris-1a2b3c/Release/Qx7Lr0a")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_without_a_key_the_bucket_decides(
    sagemaker: Any, reports: Any, load_event: Callable[..., dict[str, Any]]
) -> None:
    event = load_event("register_model")
    del event["CodePipeline.job"]["data"]["encryptionKey"]
    sagemaker.answer("DescribeTrainingJob", **trained())
    handler(event, None)
    head = clients.client("s3").head_object(Bucket=BUCKET, Key="iris-1a2b3c/Release/Qx7Lr0a")
    assert "SSEKMSKeyId" not in head


def test_the_release_is_stored_with_the_lent_credentials(
    call: Any, reports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    artifact_client = module.artifact_client
    monkeypatch.setattr(module, "artifact_client", lambda lent: used.append(lent) or artifact_client(lent))
    call()
    assert [lent.access_key_id for lent in used] == ["ASIAARTIFACTACCESSKEY"]


def test_missing_artifact_credentials_are_reported_before_anything_is_made(
    sagemaker: Any, reports: Any, load_event: Callable[..., dict[str, Any]]
) -> None:
    event = load_event("register_model")
    del event["CodePipeline.job"]["data"]["artifactCredentials"]
    handler(event, None)
    assert "has no artifact credentials" in reports.message
    assert sagemaker.operations() == []


def test_an_undeclared_release_is_reported_before_anything_is_made(
    sagemaker: Any, reports: Any, load_event: Callable[..., dict[str, Any]]
) -> None:
    event = load_event("register_model")
    event["CodePipeline.job"]["data"]["outputArtifacts"] = []
    handler(event, None)
    assert "no output artifact 'Release'" in reports.message
    assert sagemaker.operations() == []


def test_metrics_are_told_shortly(call: Any, reports: Any) -> None:
    call()
    assert reports.outputs["Metrics"] == "train:accuracy 1, validation:accuracy 0.966667"


def test_a_metric_without_value_is_recorded_as_such(call: Any, reports: Any) -> None:
    call(metrics={"validation:accuracy": float("nan")})
    assert reports.outputs["Metrics"] == "validation:accuracy nan"


def test_training_without_metrics_is_told(call: Any, reports: Any) -> None:
    call(metrics={})
    assert reports.outputs["Metrics"] == "no metrics"


def test_many_metrics_are_cut_to_fit_an_approval(call: Any, reports: Any) -> None:
    call(metrics={f"metric-with-a-long-name-{number}": 0.5 for number in range(40)})
    assert len(reports.outputs["Metrics"]) == 300


def test_an_unfinished_training_is_not_registered(call: Any, reports: Any) -> None:
    call(status="Stopped")
    assert reports.message == f"Training job {JOB} is Stopped; there is no model yet."
    assert packages() == []


def test_a_metric_name_that_the_registry_refuses_is_named(call: Any, reports: Any) -> None:
    call(metrics={"precision@{5}": 0.5})
    assert "Metric 'precision@{5}' cannot be recorded" in reports.message


def test_more_metrics_than_the_registry_takes_are_refused(call: Any, reports: Any) -> None:
    call(metrics={f"m{n}": 0.5 for n in range(41)})
    assert reports.message == (
        "The candidate has 41 metrics; the model registry can record 40. Remove some metric definitions."
    )


def test_a_commit_is_the_tag_that_the_build_gave(call: Any, reports: Any, script: Callable[[str], Any]) -> None:
    ecr = script("ecr").answer("DescribeImages", imageDetails=[{"imageTags": ["latest", "ab" * 20]}])
    call()
    assert registered(reports)["commit"] == "ab" * 20
    assert ecr.requests["DescribeImages"] == [
        {
            "registryId": "123456789012",
            "repositoryName": "iris-1a2b3c",
            "imageIds": [{"imageDigest": "sha256:" + "ab" * 32}],
        }
    ]


@pytest.mark.parametrize(
    "image",
    ["683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "public.ecr.aws/team/forest:3", "forest"],
)
def test_an_image_that_no_build_of_ours_made_has_no_known_commit(
    call: Any, reports: Any, script: Callable[[str], Any], image: str
) -> None:
    script("ecr").refuse("DescribeImages", "AccessDeniedException")
    call(AlgorithmSpecification={"TrainingImage": image})
    assert registered(reports)["commit"] == "unknown"


def test_a_registry_that_is_out_of_order_is_no_unknown_commit(
    call: Any, reports: Any, script: Callable[[str], Any]
) -> None:
    ecr = script("ecr")
    for _ in range(6):
        ecr.refuse("DescribeImages", "ServerException")
    call()
    assert "ServerException" in reports.message


def registered(reports: Any) -> dict[str, str]:
    arn = reports.outputs["ModelPackageArn"]
    package = clients.client("sagemaker").describe_model_package(ModelPackageName=arn)
    properties: dict[str, str] = package["CustomerMetadataProperties"]
    return properties


REPORT = f"s3://{BUCKET}/evaluations/{JOB}/evaluation.json"


@pytest.fixture
def evaluated(load_event: Callable[..., dict[str, Any]], sagemaker: Any) -> Callable[[bytes | None], None]:
    def call(body: bytes | None) -> None:
        if body is not None:
            clients.client("s3").put_object(Bucket=BUCKET, Key=f"evaluations/{JOB}/evaluation.json", Body=body)
        sagemaker.answer("DescribeTrainingJob", **trained())
        handler(load_event("register_model", params={"evaluation_uri": REPORT}), None)

    return call


def test_the_report_of_the_evaluation_takes_the_place_of_the_metrics_of_training(
    evaluated: Any, reports: Any, sagemaker: Any
) -> None:
    evaluated(b'{"metrics": {"f1": 0.91, "accuracy": {"value": 0.94, "standard_deviation": "NaN"}}}')
    found = registered(reports)
    assert {name: value for name, value in found.items() if name.startswith("metric.")} == {
        "metric.f1": "0.91",
        "metric.accuracy": "0.94",
    }
    statistics = sagemaker.requests["CreateModelPackage"][0]["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert statistics == {"ContentType": "application/json", "S3Uri": REPORT}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (None, "the evaluation program wrote no evaluation.json"),
        (b"", "evaluation.json is not JSON"),
        (b"\xff\xfe", "evaluation.json is not UTF-8"),
        (b"[1]", "evaluation.json has neither an object metrics nor a group of metrics"),
        (b'{"metrics": {}}', "evaluation.json has no metric"),
        (b"[" * 100_000, "evaluation.json is not JSON"),
        (b" " * (1024 * 1024 + 1), "evaluation.json has more than 1048576 bytes"),
    ],
    ids=["missing", "empty", "not text", "no object", "no metric", "deep", "large"],
)
def test_a_report_that_cannot_be_read_is_on_record_for_the_gate(
    evaluated: Any, reports: Any, sagemaker: Any, body: bytes | None, problem: str
) -> None:
    evaluated(body)
    found = registered(reports)
    assert found["evaluation_problem"].startswith(problem)
    assert not [name for name in found if name.startswith("metric.")]
    assert "ModelMetrics" not in sagemaker.requests["CreateModelPackage"][0]


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ('{"metrics": {"a": NaN}}', {"a": "nan"}),
        ('{"metrics": {"a": 1e400}}', {"a": "inf"}),
        (
            '{"metrics": {"a": null, "b": "0.9", "c": true, "d": {}}}',
            {"a": "null", "b": '"0.9"', "c": "true", "d": "null"},
        ),
        ('{"metrics": {"a": ' + "9" * 400 + "}}", {"a": "inf"}),
        (
            '{"binary_classification_metrics": {"auc": {"value": 0.9}}, "version": 1}',
            {"auc": "0.9"},
        ),
    ],
)
def test_23_a_value_that_is_no_number_stays_one_for_the_gate(text: str, metrics: dict[str, str]) -> None:
    assert parse_report(text.encode()).metrics == metrics


def release_record(**more: Any) -> None:
    record = {"release": 3, "model_package_arn": "none", "steps": {}, **more}
    clients.client("s3").put_object(Bucket=BUCKET, Key=f"releases/{GROUP}/3.json", Body=json.dumps(record).encode())


@pytest.fixture
def call_again(load_event: Callable[..., dict[str, Any]], sagemaker: Any) -> Callable[[], None]:
    def call() -> None:
        sagemaker.answer("DescribeTrainingJob", **trained())
        handler(load_event("register_model", params={"release": "3"}), None)

    return call


def old_package() -> str:
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    arn: str = clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={"Containers": [{"Image": OLDER_IMAGE, "ModelDataUrl": MODEL}], **types},
        CustomerMetadataProperties={"metric.validation:accuracy": "0.9"},
    )["ModelPackageArn"]
    return arn


def test_a_release_that_is_deployed_again_keeps_its_package(call_again: Any, reports: Any) -> None:
    arn = old_package()
    release_record(model_package_arn=arn)
    clients.client("s3").put_object(Bucket=BUCKET, Key=f"models/{JOB}/output/model.tar.gz", Body=b"model")
    call_again()
    assert reports.outputs == {"ModelPackageArn": arn, "Metrics": "validation:accuracy 0.9", "Image": OLDER_IMAGE}
    assert len(packages()) == 1
    assert archive()["production.json"]["Parameters"]["Image"] == OLDER_IMAGE
    assert archive()["production.json"]["Parameters"]["ModelPackageArn"] == arn
    assert archive()["production.json"]["Parameters"]["ExecutionId"] == EXECUTION


def test_a_release_that_is_deployed_again_is_no_new_training(call_again: Any, reports: Any) -> None:
    release_record(model_package_arn=old_package())
    clients.client("s3").put_object(Bucket=BUCKET, Key=f"models/{JOB}/output/model.tar.gz", Body=b"model")
    call_again()
    assert reports.outputs["ModelPackageArn"]
    assert "Contents" not in clients.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="trained/")


def test_a_release_whose_model_is_gone_is_not_deployed_again(call_again: Any, reports: Any) -> None:
    release_record(model_package_arn=old_package())
    call_again()
    assert reports.message == (
        f"The model of release 3 does not exist: {MODEL}. Choose another release: mlops releases {GROUP}"
    )


def test_a_release_whose_package_is_gone_is_not_deployed_again(call_again: Any, reports: Any) -> None:
    gone = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/99"
    release_record(model_package_arn=gone)
    call_again()
    assert reports.message.startswith(f"Model package {gone} of release 3 does not exist")


def test_a_release_that_is_not_stored_still_names_its_package(
    call: Any, reports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "PutObject")

    monkeypatch.setattr(module, "upload", refuse)
    call()
    (package,) = packages()
    assert reports.only("failure")["failureDetails"]["externalExecutionId"] == package["ModelPackageArn"]


def test_equal_releases_are_equal_bytes() -> None:
    release = Release(EXECUTION, "arn", JOB, IMAGE, MODEL, "s3://a", "v", "0f", {"a": "1.0"})
    assert release.archive(STACKS, {}) == release.archive(dict(reversed(STACKS.items())), {})
