"""``mlops drift``: a fresh report, else the stored one with its age, else a sentence that says why there is none."""

from __future__ import annotations

import io
import json
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from mlops_constructs.cli import drift
from mlops_constructs.cli.main import main
from mlops_constructs.deployed import DeployedPipeline
from mlops_constructs.deployed.drift import drift_of
from mlops_constructs.errors import MlopsError

NAME, BUCKET, NOW = "iris-1a2b3c", "artifacts", 1_790_100_000.0
ROW = {
    "feature": "size",
    "records": 1_200,
    "psi": 0.224,
    "psi_noise": 0.01,
    "wasserstein": 0.48,
    "wasserstein_noise": 0.02,
    "log10_evidence": 7.31,
    "log10_limit": 1.78,
    "since": 1_790_002_800.0,
    "change": "20.8 % are above 1.3",
    "alarm": True,
    "sentence": "size has drifted.",
}
REPORT: dict[str, Any] = {
    "pipeline": NAME,
    "release": 3,
    "model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/3",
    "at": NOW - 600.0,
    "until": NOW - 900.0,
    "behind": False,
    "features": [ROW, {**ROW, "feature": "colour", "alarm": False, "wasserstein": None, "since": None}],
    "quality": "95.0 % of 200 predictions were right.",
    "estimated_quality": None,
    "alarms": [{"id": "a", "reason": "drift", "features": ["size"], "sentence": "size has drifted."}],
    "notes": ["The accuracy is not estimated: no probabilities."],
}


class Aws:
    """Lambda and S3 with prepared responses, checked against botocore's models."""

    def __init__(self) -> None:
        session = boto3.session.Session("x", "x", region_name="us-east-1")
        self.clients = {name: session.client(name) for name in ("lambda", "s3")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def pipeline(self) -> DeployedPipeline:
        source = {"S3Bucket": "data", "S3ObjectKey": "datasets/m.json", "AllowOverrideForS3ObjectKey": "true"}
        stages = [{"name": "Source", "actions": [{"name": "Dataset", "configuration": source}]}]
        return DeployedPipeline(
            lambda service: self.clients[service],
            {"name": NAME, "artifactStore": {"location": BUCKET}, "stages": stages},
        )

    def returns(self, content: object, error: str | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        response = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body))}
        wanted = {"FunctionName": f"{NAME}-watch-traffic", "InvocationType": "RequestResponse"}
        extra = {} if error is None else {"FunctionError": error}
        self.stubs["lambda"].add_response("invoke", {**response, **extra}, wanted)

    def refuses(self) -> None:
        self.stubs["lambda"].add_client_error("invoke", "ResourceNotFoundException", "Function not found", 404)

    def stores(self, content: bytes | None) -> None:
        if content is None:
            self.stubs["s3"].add_client_error("get_object", "NoSuchKey", "none", 404)
            return
        key = {"Bucket": BUCKET, "Key": f"monitoring/{NAME}/report.json"}
        body = StreamingBody(io.BytesIO(content), len(content))
        self.stubs["s3"].add_response("get_object", {"Body": body}, key)


@pytest.fixture
def aws() -> Aws:
    return Aws()


def test_the_report_is_a_fresh_one(aws: Aws) -> None:
    aws.returns(REPORT)
    found = drift_of(aws.pipeline())
    assert (found.content, found.age_seconds, found.why_not_fresh, found.in_alarm) == (REPORT, 0.0, "", True)


def test_without_the_function_the_stored_report_is_shown_with_its_age(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    aws.refuses()
    aws.stores(json.dumps(REPORT).encode())
    found = drift_of(aws.pipeline())
    assert found.age_seconds == 600.0
    assert f"{NAME}-watch-traffic could not be invoked" in found.why_not_fresh


def test_a_pipeline_without_monitoring_says_how_to_get_it(aws: Aws) -> None:
    aws.refuses()
    aws.stores(None)
    with pytest.raises(MlopsError, match=r"a pipeline has it with `monitoring=Monitoring\(\)`"):
        drift_of(aws.pipeline())


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ({"errorMessage": "no baseline"}, "Unhandled", "failed: no baseline"),
        (b"{", None, "; see its log: aws logs tail /aws/lambda/"),
        (b"{", None, "returned no JSON"),
        ([1], None, "returned no report"),
    ],
)
def test_a_function_that_fails_is_told(aws: Aws, content: object, error: str | None, said: str) -> None:
    aws.returns(content, error)
    aws.stores(None)
    with pytest.raises(MlopsError, match=said):
        drift_of(aws.pipeline())


def test_a_stored_report_that_is_none_is_told(aws: Aws) -> None:
    aws.refuses()
    aws.stores(b"{")
    with pytest.raises(MlopsError, match="is not a report"):
        drift_of(aws.pipeline())


def printed(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr(drift, "read_pipeline", lambda _: aws.pipeline())
    assert main(["drift", NAME, *arguments]) == 0
    return capsys.readouterr().out


def test_the_table_says_which_how_much_and_since_when(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns(REPORT)
    lines = printed(aws, monkeypatch, capsys).splitlines()
    assert lines[0] == f"{NAME}, release 3, until 2026-09-22 17:45 UTC"
    assert lines[1] == "ALARM: size has drifted."
    assert lines[2] == "95.0 % of 200 predictions were right."
    assert lines[-2].split() == [
        "size",
        "yes",
        "0.22",
        "0.48",
        "7.3",
        "of",
        "1.8",
        "2026-09-21",
        "15:00",
        "UTC",
        "1,200",
    ]
    assert lines[-1].split() == ["colour", "0.22", "7.3", "of", "1.8", "1,200"]


def test_json_has_the_report_and_its_age(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns(REPORT)
    assert json.loads(printed(aws, monkeypatch, capsys, "--json")) == {
        **REPORT,
        "age_seconds": 0.0,
        "why_not_fresh": "",
    }


def test_what_cannot_be_watched_is_said_in_a_sentence(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns({"pipeline": NAME, "release": None, "sentence": "Nothing has been released yet.", "alarms": []})
    assert printed(aws, monkeypatch, capsys) == "Nothing has been released yet.\n"
