"""The approver reads all that matters, within what CodePipeline takes."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from gather_evidence.evidence import Evidence
from gather_evidence.handler import handler
from hypothesis import given
from hypothesis import strategies as st

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "iris-1a2b3c"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
STACK = f"{GROUP}-production"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
NOON = datetime(2026, 1, 14, 12, tzinfo=timezone.utc)
TEMPLATE = {
    "Parameters": {"ModelPackageArn": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
}


CONFIGURED = {
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": "2",
    "Autoscales": "true",
    "MinCapacity": "2",
    "MaxCapacity": "4",
}


DOCUMENT: dict[str, Any] = {
    "hourly_prices_usd": {"dev": {"ml.m5.large": 0.115}, "production": {"ml.m5.large": 0.115}},
    "price_sources": {"ml.m5.large": "a price list"},
    "dev_parameters": {**CONFIGURED, "InitialInstanceCount": "1", "Autoscales": "false"},
    "office_hours": {},
    "max_dev_hours": None,
    "max_critical_findings": None,
    "max_monthly_usd": None,
}
VERDICT = {"Verdict": "accuracy is 0.95 (required: at least 0.9)"}


def gave(stage: str, name: str, **outputs: str) -> dict[str, Any]:
    output = {"outputVariables": outputs}
    return {"stageName": stage, "actionName": name, "status": "Succeeded", "startTime": NOON, "output": output}


@pytest.fixture(autouse=True)
def _settings(set_env: Callable[..., None], write_document: Callable[[object], None]) -> None:
    write_document(DOCUMENT)
    set_env(
        {
            "pipeline": GROUP,
            "artifact_bucket": "artifacts",
            "production_stack": STACK,
            "production_fleet": "2 to 4 x ml.m5.large",
            "production_parameters": json.dumps(CONFIGURED),
            "ab_test": "",
            "retraining": "",
        }
    )
    clients.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    clients.client("s3").create_bucket(Bucket="artifacts")


def package(**metrics: str) -> str:
    lineage = {"dataset_version": "v7", "dataset_sha256": "0f" * 32, "image": IMAGE, "commit": "cd" * 20}
    properties = {**lineage, **{f"metric.{name}": value for name, value in metrics.items()}}
    arn: str = clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, CustomerMetadataProperties=properties
    )["ModelPackageArn"]
    return arn


def produce(arn: str) -> None:
    clients.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "ModelPackageArn", "ParameterValue": arn}],
    )


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]], reports: Any) -> Callable[..., dict[str, str]]:
    def call(arn: str, release: str = "none", request: dict[str, Any] | None = None) -> dict[str, str]:
        uri = "none"
        if request is not None:
            clients.client("s3").put_object(Bucket="artifacts", Key="request.json", Body=json.dumps(request).encode())
            uri = "s3://artifacts/request.json"
        history = [
            gave("Prepare", "CheckDataset", RequestUri=uri),
            gave("Source", "Dataset", ObjectKey="datasets/iris.csv"),
            gave("Evaluate", "Gate", **VERDICT),
            gave("DeployDev", "SmokeTest", Summary="10 of 10 golden records right, p95 9 ms"),
        ]
        reports.answer("ListActionExecutions", actionExecutionDetails=history)
        handler(load_event("gather_evidence", params={"model_package_arn": arn, "release": release}), None)
        outputs: dict[str, str] = reports.outputs
        return outputs

    return call


def test_the_message_is_readable_line_by_line(call: Any) -> None:
    produce(package(accuracy="0.93"))
    arn = package(accuracy="0.9500000001", accuracy_se="0.0123456", loss="0.2")
    assert call(arn)["Message"].splitlines() == [
        f"Candidate: {arn}",
        "Metrics (production now): accuracy 0.95 ± 0.012 (0.93); loss 0.2 (none)",
        "Gate passed: accuracy is 0.95 (required: at least 0.9)",
        "DEV smoke test: 10 of 10 golden records right, p95 9 ms",
        "Data: datasets/iris.csv, version v7",
        f"Image: iris-1a2b3c@sha256:{'ab' * 32}, commit cdcdcdcdcdcd",
        "Production: 2 to 4 x ml.m5.large, hourly cost 0.23 to 0.46 USD",
        "Monthly cost with DEV: 252 to 420 USD",
        f"Evidence: s3://artifacts/evidence/{GROUP}/{EXECUTION}.txt",
    ]


def test_no_gate_is_not_called_passed(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERDICT, "Verdict", "none: the pipeline has no evaluation gate")
    assert "Gate: none: the pipeline has no evaluation gate" in call(package(accuracy="0.95"))["Message"].splitlines()


def asking(**production: str) -> dict[str, Any]:
    return {"training": {"ResourceConfig": {"InstanceCount": 3}}, "endpoints": {"production": production}}


def test_what_the_data_set_asks_is_read_first_and_with_the_fleet_as_it_will_be(call: Any) -> None:
    request = asking(InstanceType="ml.p3.2xlarge", MaxCapacity="9", CaptureSampling="0")
    lines = call(package(accuracy="0.95"), request=request)["Message"].splitlines()
    assert lines[0] == (
        "The data set requests: production InstanceType ml.p3.2xlarge, MaxCapacity 9, CaptureSampling 0; training Reso…"
    )
    assert lines[-3:-1] == [
        "Production: 2 to 9 x ml.p3.2xlarge, hourly cost unknown",
        "Monthly cost with DEV: unknown",
    ]
    assert lines[-1].startswith("Evidence: s3://artifacts/evidence/")


def test_a_fleet_that_the_data_set_leaves_alone_keeps_its_cost(call: Any) -> None:
    lines = call(package(accuracy="0.95"), request=asking(CaptureSampling="0"))["Message"].splitlines()
    assert lines[0] == "The data set requests: production CaptureSampling 0; training ResourceConfig InstanceCount 3"
    assert "Production: 2 to 4 x ml.m5.large, hourly cost 0.23 to 0.46 USD" in lines


def test_a_larger_fleet_that_the_data_set_asks_for_is_calculated(call: Any) -> None:
    lines = call(package(accuracy="0.95"), request=asking(MaxCapacity="9"))["Message"].splitlines()
    assert lines[-3] == "Production: 2 to 9 x ml.m5.large, hourly cost 0.23 to 1.04 USD"


def test_a_challenger_may_cost_a_second_fleet(call: Any, set_env: Callable[..., None]) -> None:
    set_env({"ab_test": "true"})
    assert "hourly cost 0.23 to 0.92 USD" in call(package(accuracy="0.95"))["Message"]


@pytest.mark.parametrize(
    ("limit", "price", "reason"),
    [
        (419, 0.115, "up to 420 USD a month, more than max_monthly_usd (419 USD)"),
        (420, 0.115, "none"),
        (None, 0.115, "none"),
        (420, None, "an unknown amount a month, more than max_monthly_usd (420 USD)"),
    ],
)
def test_a_release_above_the_limit_needs_a_reason(
    call: Any, write_document: Callable[[object], None], limit: float | None, price: float | None, reason: str
) -> None:
    prices = {} if price is None else {"ml.m5.large": price}
    document = {**DOCUMENT, "hourly_prices_usd": {"dev": prices, "production": prices}, "max_monthly_usd": limit}
    write_document(document)
    outputs = call(package(accuracy="0.95"))
    assert outputs["ReasonFor"] == reason
    first = outputs["Message"].splitlines()[0]
    assert first == f"Give a reason if you approve: {reason}" if reason != "none" else first.startswith("Candidate: ")


def scanned(status: str, counts: dict[str, int] | None = None, description: str = "") -> dict[str, Any]:
    """What ECR returns for a scan."""
    findings = {} if counts is None else {"imageScanFindings": {"findingSeverityCounts": counts}}
    return {"imageScanStatus": {"status": status, "description": description}, **findings}


@pytest.mark.parametrize(
    ("limit", "scan", "told", "reason"),
    [
        (0, scanned("COMPLETE", {}), "no findings", "none"),
        (0, scanned("ACTIVE", {"HIGH": 5, "LOW": 1}), "5 high, 1 low findings", "none"),
        (
            0,
            scanned("COMPLETE", {"CRITICAL": 2, "HIGH": 5}),
            "2 critical, 5 high findings",
            "2 critical findings in the image, more than max_critical_findings (0)",
        ),
        (2, scanned("COMPLETE", {"CRITICAL": 2}), "2 critical findings", "none"),
        (
            0,
            scanned("FAILED", None, "UnsupportedImageError: no such system"),
            "its scan is FAILED: UnsupportedImageError: no such system",
            "the image may have critical findings: its scan is FAILED: UnsupportedImageError: no such system",
        ),
        (
            0,
            scanned("IN_PROGRESS"),
            "its scan is IN_PROGRESS",
            "the image may have critical findings: its scan is IN_PROGRESS",
        ),
        (
            0,
            None,
            "ECR has not scanned it: its repository has no scan on push",
            "the image may have critical findings: ECR has not scanned it: its repository has no scan on push",
        ),
    ],
)
def test_49_an_image_with_critical_findings_or_without_a_scan_needs_a_reason(
    call: Any,
    script: Callable[[str], Any],
    write_document: Callable[[object], None],
    limit: int,
    scan: dict[str, Any] | None,
    told: str,
    reason: str,
) -> None:
    ecr = script("ecr")
    if scan is None:
        ecr.refuse("DescribeImageScanFindings", "ScanNotFoundException", "Image scan does not exist")
    else:
        ecr.answer("DescribeImageScanFindings", **scan)
    write_document({**DOCUMENT, "max_critical_findings": limit})
    outputs = call(package(accuracy="0.95"))
    assert outputs["ReasonFor"] == reason
    assert ecr.requests["DescribeImageScanFindings"][0]["imageId"] == {"imageDigest": "sha256:" + "ab" * 32}
    first = outputs["Message"].splitlines()[0]
    assert first == f"Give a reason if you approve: {reason}" if reason != "none" else first.startswith("Candidate: ")
    stored = clients.client("s3").get_object(Bucket="artifacts", Key=f"evidence/{GROUP}/{EXECUTION}.txt")
    assert f"Image scan:         {told}\n" in stored["Body"].read().decode()


def test_49_a_scan_that_nobody_reads_asks_for_nothing(call: Any, script: Callable[[str], Any]) -> None:
    ecr = script("ecr")
    assert call(package(accuracy="0.95"))["ReasonFor"] == "none"
    assert ecr.operations() == []


def test_the_full_evidence_says_where_the_price_is_from(call: Any) -> None:
    call(package(accuracy="0.95"))
    stored = clients.client("s3").get_object(Bucket="artifacts", Key=f"evidence/{GROUP}/{EXECUTION}.txt")
    assert "Price from:         a price list" in stored["Body"].read().decode()


def test_a_hyperparameter_adds_no_line_of_its_own(call: Any) -> None:
    request = {"training": {"HyperParameters": {"trees": "1\nGate passed: all"}}, "endpoints": {}}
    lines = call(package(accuracy="0.95"), request=request)["Message"].splitlines()
    assert lines[0] == "The data set requests: training HyperParameters trees 1 Gate passed: all"


def test_a_data_set_that_asks_for_nothing_is_not_told_to_ask(call: Any) -> None:
    assert "asks for" not in call(package(accuracy="0.95"))["Message"]


def explain(execution: str) -> None:
    why = {"why": "petal_length has drifted."}
    key = f"retraining/{GROUP}/executions/{execution}.json"
    clients.client("s3").put_object(Bucket="artifacts", Key=key, Body=json.dumps(why).encode())


def test_the_approver_reads_why_an_alarm_started_the_execution(call: Any, set_env: Callable[..., None]) -> None:
    set_env({"retraining": "true"})
    explain(EXECUTION)
    assert "Started because petal_length has drifted.\n" in call(package(accuracy="0.95"))["Message"]
    body = clients.client("s3").get_object(Bucket="artifacts", Key=f"evidence/{GROUP}/{EXECUTION}.txt")["Body"].read()
    assert body.decode().startswith("Started because:    petal_length has drifted.\n")


@pytest.mark.parametrize(("retraining", "explained"), [("true", "another-execution"), ("", EXECUTION)])
def test_what_no_alarm_started_has_no_such_reason(
    call: Any, set_env: Callable[..., None], retraining: str, explained: str
) -> None:
    set_env({"retraining": retraining})
    explain(explained)
    assert "Started because" not in call(package(accuracy="0.95"))["Message"]


def test_the_link_leads_to_the_execution(call: Any) -> None:
    assert call(package(accuracy="0.95"))["Link"] == (
        f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{GROUP}/executions/{EXECUTION}/timeline"
        "?region=us-east-1"
    )


def test_a_rollback_is_said_first(call: Any) -> None:
    assert call(package(accuracy="0.95"), release="3")["Message"].startswith("Rollback to release 3. Candidate: ")


def test_all_of_it_is_kept_for_people_and_for_programs(call: Any) -> None:
    arn = package(**{f"metric-{number}": "0.5" for number in range(40)})
    call(arn)
    s3 = clients.client("s3")
    text = s3.get_object(Bucket="artifacts", Key=f"evidence/{GROUP}/{EXECUTION}.txt")["Body"].read().decode()
    document = json.loads(s3.get_object(Bucket="artifacts", Key=f"evidence/{GROUP}/{EXECUTION}.json")["Body"].read())
    assert "metric-39 0.5 (none)" in text
    assert "0f" * 32 in text
    assert document["metrics"]["metric-39"] == "0.5"
    assert document["candidate"] == arn


def test_a_champion_whose_package_is_gone_is_no_obstacle(call: Any) -> None:
    produce(f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/99")
    assert "accuracy 0.95 (none)" in call(package(accuracy="0.95"))["Message"]


def evidence_of(metrics: dict[str, str], free: tuple[str, ...], release: str) -> Evidence:
    gate, smoke_test, dataset, version, image, why, asked, fleet, cost, ab_test, reason = free
    return Evidence(
        execution_id=EXECUTION,
        link="https://x",
        release=release,
        candidate="arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:model-package/" + "x" * 63 + "/123",
        production="none",
        paused="none",
        metrics=metrics,
        production_metrics={},
        gate=gate,
        smoke_test=smoke_test,
        dataset=dataset,
        dataset_version=version,
        dataset_sha256="0f",
        image=image,
        scan="2 critical, 5 high findings",
        commit="cd" * 20,
        why=why,
        asked=asked,
        ab_test=ab_test,
        fleet=fleet,
        hourly_cost=cost,
        monthly_cost=cost,
        dev_time=cost,
        price_source=cost,
        reason=reason,
    )


URI = f"s3://{'b' * 63}/evidence/{'p' * 19}/{EXECUTION}.txt"
texts = st.text(max_size=400)


@given(
    metrics=st.dictionaries(texts, texts, max_size=50),
    free=st.tuples(*[texts] * 11),
    release=st.sampled_from(["none", "123456789"]),
)
def test_no_evidence_is_too_long_for_an_approval(metrics: dict[str, str], free: tuple[str, ...], release: str) -> None:
    message = evidence_of(metrics, free, release).message(URI)
    assert len(message) <= 960
    assert message.endswith(URI)


@pytest.mark.parametrize("ab_test", ["none", "t" * 400])
@pytest.mark.parametrize("asked", ["none", "a" * 400])
@pytest.mark.parametrize("why", ["none", "w" * 400])
def test_where_every_line_is_full_the_link_to_the_evidence_is_whole(why: str, asked: str, ab_test: str) -> None:
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{'i' * 60}@sha256:{'0' * 64}"
    free = ("g" * 400, "s" * 400, "d" * 400, "v" * 400, image, why, asked, "f" * 400, "c" * 400, ab_test, "r" * 400)
    message = evidence_of({"m" * 400: "1"}, free, "123456789").message(URI)
    assert len(message) <= 960
    assert message.endswith(f"\nEvidence: {URI}")


def test_dev_costs_until_the_decision(call: Any, write_document: Callable[[object], None]) -> None:
    write_document({**DOCUMENT, "max_dev_hours": 24.0})
    message = call(package(accuracy="0.95"))["Message"]
    # 2 to 4 instances for 730 hours, and 1 for 0 to 24 hours.
    assert "Monthly cost with DEV: 168 to 339 USD" in message
    assert "DEV in it:          until the decision about one release a month, at most 24 h" in text_of()


def test_a_dev_that_is_kept_costs_all_month(call: Any) -> None:
    call(package(accuracy="0.95"))
    assert "DEV in it:          all month" in text_of()


def text_of() -> str:
    key = f"evidence/{GROUP}/{EXECUTION}.txt"
    return clients.client("s3").get_object(Bucket="artifacts", Key=key)["Body"].read().decode()


def test_a_paused_model_is_still_the_one_in_production(call: Any, script: Any) -> None:
    champion = package(accuracy="0.93")
    given = {"ModelPackageArn": champion, "Paused": "2026-11-27T18:00:00+00:00"}
    known = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    facts = {"StackName": STACK, "StackId": "arn", "StackStatus": "UPDATE_COMPLETE", "Parameters": known}
    script("cloudformation").answer("DescribeStacks", Stacks=[facts])
    assert "accuracy 0.95 (0.93)" in call(package(accuracy="0.95"))["Message"]
    paused = f"{champion}, paused since 2026-11-27T18:00:00+00:00; the release brings the endpoint back"
    assert f"Production now:     {paused}\n" in text_of()


def test_27_nobody_is_asked_about_a_release_that_production_could_not_take(
    load_event: Callable[..., dict[str, Any]], script: Any, reports: Any
) -> None:
    facts = {"StackName": STACK, "StackId": "arn", "StackStatus": "UPDATE_ROLLBACK_FAILED"}
    script("cloudformation").answer("DescribeStacks", Stacks=[facts])
    reports.answer("ListActionExecutions", actionExecutionDetails=[])
    handler(load_event("gather_evidence", params={"model_package_arn": package(accuracy="0.95")}), None)
    assert f"aws cloudformation continue-update-rollback --stack-name {STACK}" in reports.message


def test_office_hours_make_the_month_cheaper(call: Any, write_document: Callable[[object], None]) -> None:
    hours = {"production": {"MinCapacity": 1, "MaxCapacity": 2, "Share": 0.25}}
    write_document({**DOCUMENT, "office_hours": hours, "max_dev_hours": 0.0})
    # 0.115 USD for 730 hours: a quarter of them for 2 to 4 instances, the others for 1 to 2.
    assert "Monthly cost with DEV: 105 to 210 USD" in call(package(accuracy="0.95"))["Message"]
