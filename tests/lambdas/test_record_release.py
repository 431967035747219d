"""A release is on record once, under a number of its own, with all that it is made of."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from record_release.handler import handler
from record_release.metrics import publish_metrics
from record_release.settings import Settings

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUP = "iris-1a2b3c"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
BUCKET = "artifacts"
SPACE = "MLOps/Releases"
NOON = datetime(2026, 1, 14, 12, tzinfo=timezone.utc)
LEAD = "arn:aws:sts::123456789012:assumed-role/ml-leads/ada"
CHECKED = {"DatasetUri": "s3://artifacts/datasets/x", "Sha256": "0f" * 32, "GoldenUri": "none"}
TRAINED = {"JobName": "job", "JobArn": "arn:job", "Image": "forest@sha256:ab", "ModelDataUrl": "s3://artifacts/m"}
SOURCE = {"BucketName": "data", "ObjectKey": "datasets/iris.csv", "VersionId": "v7"}


def action(stage: str, name: str, minutes: int, **more: Any) -> dict[str, Any]:
    started = NOON + timedelta(minutes=minutes)
    times = {"startTime": started, "lastUpdateTime": started + timedelta(minutes=1)}
    return {"stageName": stage, "actionName": name, "status": "Succeeded", **times, **more}


def gave(stage: str, name: str, minutes: int, **outputs: str) -> dict[str, Any]:
    return action(stage, name, minutes, output={"outputVariables": outputs})


HISTORY = [
    gave("Source", "Dataset", 0, **SOURCE),
    gave("Prepare", "CheckDataset", 1, **CHECKED),
    gave("Train", "Train", 2, **TRAINED),
    gave("Evaluate", "Gate", 4, Verdict="accuracy is 0.9"),
    gave("Approve", "Evidence", 6, EvidenceUri="s3://artifacts/evidence/x.txt"),
    action(
        "Approve", "Approve", 7, updatedBy=LEAD, output={"executionResult": {"externalExecutionSummary": "Ship it"}}
    ),
    gave("DeployProduction", "SmokeTest", 9, Summary="10 of 10 golden records right, p95 9 ms"),
]


@pytest.fixture(autouse=True)
def _released(set_env: Callable[..., None]) -> None:
    set_env(
        {"pipeline": GROUP, "artifact_bucket": BUCKET, "endpoint": f"{GROUP}-production", "metric_namespace": SPACE}
    )
    clients.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    clients.client("s3").create_bucket(Bucket=BUCKET)


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


def package(status: str = "Approved") -> str:
    arn: str = clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        CustomerMetadataProperties={"commit": "ab" * 20, "metric.accuracy": "0.9"},
    )["ModelPackageArn"]
    return arn


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]], sagemaker: Any, reports: Any) -> Callable[..., str]:
    def call(arn: str | None = None, more: Sequence[dict[str, Any]] = (), **params: str) -> str:
        arn = package() if arn is None else arn
        sagemaker.answer("DescribeEndpoint", EndpointConfigName="config-1")
        reports.answer("ListActionExecutions", actionExecutionDetails=[*HISTORY, *more])
        handler(load_event("record_release", params={"model_package_arn": arn, **params}), None)
        return arn

    return call


def record(number: int) -> dict[str, Any]:
    body = clients.client("s3").get_object(Bucket=BUCKET, Key=f"releases/{GROUP}/{number}.json")["Body"].read()
    read: dict[str, Any] = json.loads(body)
    return read


def numbers() -> list[str]:
    listed = clients.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"releases/{GROUP}/").get("Contents", [])
    return [item["Key"] for item in listed]


def test_the_first_release_has_the_number_one(call: Any, reports: Any) -> None:
    call()
    assert reports.outputs == {"Release": "1", "ReleaseUri": f"s3://artifacts/releases/{GROUP}/1.json"}


def test_the_record_tells_what_went_in_and_who_let_it_through(call: Any) -> None:
    arn = call()
    assert record(1) == {
        "release": 1,
        "pipeline": GROUP,
        "execution_id": EXECUTION,
        "rollback_to": None,
        "released_at": "2026-01-14T12:10:00+00:00",
        "model_package_arn": arn,
        "training_job_arn": "arn:job",
        "model_data_url": "s3://artifacts/m",
        "image": "forest@sha256:ab",
        "commit": "ab" * 20,
        "dataset": {
            "bucket": "data",
            "key": "datasets/iris.csv",
            "version_id": "v7",
            "uri": "s3://artifacts/datasets/x",
            "sha256": "0f" * 32,
        },
        "metrics": {"accuracy": "0.9"},
        "gate": "accuracy is 0.9",
        "smoke_test": "10 of 10 golden records right, p95 9 ms",
        "evidence": "s3://artifacts/evidence/x.txt",
        "approved_by": LEAD,
        "approved_at": "2026-01-14T12:08:00+00:00",
        "approval_summary": "Ship it",
        "endpoint": f"{GROUP}-production",
        "endpoint_config": "config-1",
        "steps": {"CheckDataset": CHECKED, "Train": TRAINED},
    }


def test_with_monitoring_the_record_names_the_baseline(call: Any) -> None:
    uri = "s3://artifacts/baselines/iris/1/"
    call(more=[gave("DeployDev", "Baseline", 5, BaselineUri=uri)])
    assert record(1)["baseline"] == uri


def test_a_redelivered_event_writes_no_second_record(call: Any, reports: Any) -> None:
    arn = call()
    call(arn)
    assert numbers() == [f"releases/{GROUP}/1.json"]
    first, second = reports.requests["PutJobSuccessResult"]
    assert first == second


def test_the_next_release_has_the_next_number(call: Any, reports: Any) -> None:
    call()
    call(execution_id="4f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17")
    assert numbers() == [f"releases/{GROUP}/1.json", f"releases/{GROUP}/2.json"]


def test_a_late_second_delivery_does_not_become_the_newest_release(call: Any, reports: Any) -> None:
    arn = call()
    call(execution_id="4f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17")
    call(arn)
    assert numbers() == [f"releases/{GROUP}/1.json", f"releases/{GROUP}/2.json"]
    assert reports.requests["PutJobSuccessResult"][2]["outputVariables"]["Release"] == "1"


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff", b"[1]", b"[" * 100_000])
def test_a_damaged_record_does_not_block_the_next_release(call: Any, reports: Any, damaged: bytes) -> None:
    clients.client("s3").put_object(Bucket=BUCKET, Key=f"releases/{GROUP}/1.json", Body=damaged)
    arn = call()
    assert reports.outputs["Release"] == "2"
    call(arn)
    assert len(numbers()) == 2


def test_the_releases_of_another_pipeline_in_the_bucket_are_not_counted(call: Any, reports: Any) -> None:
    other = json.dumps({"steps": {}, "execution_id": EXECUTION}).encode()
    clients.client("s3").put_object(Bucket=BUCKET, Key=f"releases/{GROUP}-too/7.json", Body=other)
    call()
    assert reports.outputs["Release"] == "1"


def test_two_that_write_at_once_never_share_a_number(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    s3 = script("s3").answer("ListObjectsV2", Contents=[])
    clients.client("s3").put_object(
        Bucket=BUCKET, Key=f"releases/{GROUP}/1.json", Body=b'{"steps": {}, "execution_id": "other"}'
    )
    call()
    assert reports.outputs["Release"] == "2"
    assert [request["IfNoneMatch"] for request in s3.requests["PutObject"] if "IfNoneMatch" in request] == ["*", "*"]
    assert record(1)["execution_id"] == "other"


def test_a_rollback_is_on_record_as_one(call: Any, reports: Any) -> None:
    call()
    call(execution_id="4f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17", release="1")
    assert record(2)["rollback_to"] == 1
    assert reports.requests["PutJobSuccessResult"][1]["executionDetails"]["summary"] == "release 2, rollback to 1"


@pytest.mark.parametrize(
    ("ab_test", "written", "summary"),
    [
        ("promote", {"rollback_to": None, "promotion_of": 1}, "release 2, promotion of 1"),
        (
            "abort",
            {"rollback_to": None, "end_of_test": True, "staying_release": 1},
            "release 2, end of a test: 1 stays",
        ),
        ("none", {"rollback_to": 1}, "release 2, rollback to 1"),
    ],
)
def test_what_an_execution_did_to_an_ab_test_is_on_record(
    call: Any, reports: Any, ab_test: str, written: dict[str, Any], summary: str
) -> None:
    arn = call()
    call(arn, release="1", execution_id="4f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17", role="champion", ab_test=ab_test)
    found = record(2)
    names = ("rollback_to", "promotion_of", "end_of_test", "staying_release")
    assert {name: found[name] for name in names if name in found} == written
    assert reports.requests["PutJobSuccessResult"][1]["executionDetails"]["summary"] == summary


def test_the_package_gets_the_number_and_keeps_its_approval(call: Any, sagemaker: Any) -> None:
    arn = call()
    assert sagemaker.requests["UpdateModelPackage"] == [
        {"ModelPackageArn": arn, "CustomerMetadataProperties": {"release": "1"}}
    ]


def test_a_rollback_leaves_the_number_of_the_package(call: Any, sagemaker: Any) -> None:
    call(release="1")
    assert sagemaker.requests["UpdateModelPackage"] == []


def test_a_package_that_a_failed_try_rejected_is_approved_after_all(call: Any) -> None:
    arn = call(package("Rejected"))
    assert clients.client("sagemaker").describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Approved"


def test_what_production_runs_is_recorded_though_somebody_has_deleted_its_package(call: Any, reports: Any) -> None:
    arn = f"{package().rpartition('/')[0]}/9"
    call(arn)
    assert reports.outputs["Release"] == "1"
    assert (record(1)["model_package_arn"], record(1)["commit"], record(1)["metrics"]) == (arn, "unknown", {})


def test_the_metrics_of_a_release_are_published_for_the_dashboard(
    call: Callable[..., str], script: Callable[[str], Any]
) -> None:
    cloudwatch = script("cloudwatch")
    call()
    (sent,) = cloudwatch.requests["PutMetricData"]
    assert sent == {
        "Namespace": SPACE,
        "MetricData": [{"MetricName": "accuracy", "Dimensions": [{"Name": "Pipeline", "Value": GROUP}], "Value": 0.9}],
    }


def test_a_release_does_not_fail_because_of_a_graph(call: Callable[..., str], script: Callable[[str], Any]) -> None:
    script("cloudwatch").refuse("PutMetricData", "InternalServiceFault")
    call()
    assert record(1)["metrics"] == {"accuracy": "0.9"}


@pytest.mark.parametrize("text", ["high", "nan", "inf", ""])
def test_a_metric_that_is_no_number_is_not_published(script: Callable[[str], Any], text: str) -> None:
    cloudwatch = script("cloudwatch")
    settings = Settings(GROUP, BUCKET, f"{GROUP}-production", SPACE)
    publish_metrics({"kind": text}, settings, clients.client("cloudwatch"))
    assert cloudwatch.requests["PutMetricData"] == []
