"""``mlops batch``: files are uploaded, followed to their predictions, downloaded, and listed."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from start_batch.wanted import wanted

from mlops_constructs import MlopsError
from mlops_constructs.cli.main import main
from mlops_constructs.deployed import DeployedPipeline, connect
from mlops_constructs.deployed.batch import Batches
from mlops_constructs.deployed.made_running import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, DATA = "iris-1a2b3c", "data"
VARIABLES = {"INPUT_PREFIX": "scoring/", "OUTPUT_PREFIX": "predictions/", "JOB_PREFIX": f"{NAME}-batch"}


def trusting(service: str, name: str) -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    return str(role)


@pytest.fixture
def s3() -> Iterator[Any]:
    """Buckets, and a pipeline without its functions."""
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=DATA)
        client.put_bucket_versioning(Bucket=DATA, VersioningConfiguration={"Status": "Enabled"})
        kind = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
        source = {
            "name": "Dataset",
            "actionTypeId": kind,
            "configuration": {"S3Bucket": DATA, "S3ObjectKey": "x/y", "AllowOverrideForS3ObjectKey": "true"},
            "inputArtifacts": [],
            "outputArtifacts": [{"name": "x"}],
        }
        approval = {
            "name": "Approve",
            "actionTypeId": {**kind, "category": "Approval", "provider": "Manual"},
            "configuration": {},
            "inputArtifacts": [],
            "outputArtifacts": [],
        }
        definition = {
            "name": NAME,
            "roleArn": trusting("codepipeline", "pipeline"),
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [{"name": "Source", "actions": [source]}, {"name": "Approve", "actions": [approval]}],
        }
        boto3.client("codepipeline").create_pipeline(pipeline=definition)
        yield client


@pytest.fixture
def batches(s3: Any) -> Batches:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("start_batch/handler.py", "")
    boto3.client("lambda").create_function(
        FunctionName=f"{NAME}-start-batch",
        Runtime="python3.12",
        Role=trusting("lambda", "start-batch"),
        Handler="start_batch.handler.handler",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": VARIABLES},
    )
    return Batches(DeployedPipeline.read(connect(), NAME))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_bytes(b"c7,1\n")
    return path


def recorded(s3: Any, job: str, status: str, **more: Any) -> None:
    record = {
        "job": job,
        "status": status,
        "release": 3,
        "started_at": "2026-11-27T02:00:00",
        "input": {"bucket": DATA, "key": "scoring/customers.csv"},
        **more,
    }
    s3.put_object(Bucket=DATA, Key=f"predictions/{job}/record.json", Body=json.dumps(record).encode())


def completed(s3: Any, job: str) -> None:
    key = f"predictions/{job}/customers.csv.out"
    s3.put_object(Bucket=DATA, Key=key, Body=b"c7,small\n")
    recorded(s3, job, "Completed", output={"records": 1, "objects": [key]})


def test_the_job_of_an_upload_is_the_one_that_the_function_starts(batches: Batches, s3: Any, file: Path) -> None:
    job = batches.upload(file)

    version = s3.head_object(Bucket=DATA, Key="scoring/customers.csv")["VersionId"]
    event = {"detail": {"object": {"key": "scoring/customers.csv", "version-id": version}}}
    assert job == wanted(event, "scoring/").job_name(f"{NAME}-batch")


@pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (None, "is not a file")])
def test_what_cannot_be_scored_is_not_uploaded(
    batches: Batches, s3: Any, file: Path, content: bytes | None, reason: str
) -> None:
    file.unlink() if content is None else file.write_bytes(content)

    with pytest.raises(MlopsError, match=f"{reason}; nothing was uploaded"):
        batches.upload(file)

    assert "Contents" not in s3.list_objects_v2(Bucket=DATA)


def test_files_are_uploaded_only_if_all_can_be_scored(batches: Batches, s3: Any, file: Path, capsys: Any) -> None:
    assert main(["batch", NAME, str(file), str(file.with_name("none.csv"))]) == 1

    assert "none.csv is not a file; nothing was uploaded" in capsys.readouterr().err
    assert "Contents" not in s3.list_objects_v2(Bucket=DATA)


def test_two_files_of_one_name_are_not_scored_as_one_object(batches: Batches, s3: Any, file: Path, capsys: Any) -> None:
    other = file.parent / "other" / file.name
    other.parent.mkdir()
    other.write_bytes(b"c8,2\n")

    assert main(["batch", NAME, str(file), str(other)]) == 1

    assert "would be the same object scoring/customers.csv" in capsys.readouterr().err
    assert "Contents" not in s3.list_objects_v2(Bucket=DATA)


@pytest.mark.parametrize("wait", ["-1", "nan"])
def test_a_wait_that_is_no_time_is_refused(wait: str, capsys: Any) -> None:
    assert main(["batch", NAME, "--wait", wait]) == 1
    assert "--wait must be 0 or more seconds" in capsys.readouterr().err


def test_only_the_pipeline_must_be_named(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["batch"])
    assert "required: PIPELINE\n" in capsys.readouterr().err


def test_a_pipeline_without_batches_says_what_to_do(s3: Any, file: Path) -> None:
    with pytest.raises(MlopsError, match=r"scores no files: give MLOpsPipeline batch=BatchTransform\(\)"):
        Batches(DeployedPipeline.read(connect(), NAME)).upload(file)


def test_predictions_are_downloaded(
    batches: Batches, s3: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(Batches, "record", _completing(Batches.record, s3))

    assert main(["batch", NAME, str(file), "--output", str(tmp_path / "scored"), "--json"]) == 0

    (result,) = json.loads(capsys.readouterr().out)
    assert result["files"] == [str(tmp_path / "scored" / "customers.csv.out")]
    assert (tmp_path / "scored" / "customers.csv.out").read_bytes() == b"c7,small\n"


def _completing(record: Any, s3: Any) -> Any:
    """The second look at a job finds it completed."""
    seen: list[str] = []

    def read(self: Batches, job: str) -> Any:
        if job in seen:
            completed(s3, job)
        seen.append(job)
        return record(self, job)

    return read


def test_a_failed_job_is_a_failure_with_its_reason(
    batches: Batches, s3: Any, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(Batches, "upload", lambda self, path, advance: "job-1")
    recorded(s3, "job-1", "Failed", reason="ClientError: 400 no such row")

    assert main(["batch", NAME, str(file)]) == 1

    assert "was not scored, job job-1 is Failed: ClientError: 400 no such row" in capsys.readouterr().err


def test_a_job_that_does_not_start_is_told(batches: Batches, file: Path, capsys: Any) -> None:
    assert main(["batch", NAME, str(file), "--wait", "0.01"]) == 1

    assert "no job has started" in capsys.readouterr().err


def test_without_waiting_it_says_how_to_look(batches: Batches, file: Path, capsys: Any) -> None:
    assert main(["batch", NAME, str(file), "--wait", "0"]) == 0

    assert f"mlops batch {NAME} --job {NAME}-batch-" in capsys.readouterr().out


def test_batches_are_listed(batches: Batches, s3: Any, capsys: Any) -> None:
    completed(s3, "job-1")
    recorded(s3, "job-2", "Refused", release=None)

    assert main(["batch", NAME]) == 0

    text = capsys.readouterr().out
    assert "scoring/customers.csv" in text
    assert "Refused" in text


def test_having_scored_nothing_is_no_failure(batches: Batches, capsys: Any) -> None:
    assert main(["batch", NAME]) == 0
    assert "has scored nothing yet" in capsys.readouterr().out


def test_one_record_is_shown(batches: Batches, s3: Any, capsys: Any) -> None:
    recorded(s3, "job-1", "Waiting", reason="ResourceLimitExceeded: 4 instances")

    assert main(["batch", NAME, "--job", "job-1"]) == 0

    assert json.loads(capsys.readouterr().out)["reason"] == "ResourceLimitExceeded: 4 instances"


def test_an_unknown_job_is_told(batches: Batches, capsys: Any) -> None:
    assert main(["batch", NAME, "--job", "job-9"]) == 1
    assert "has no record of a job job-9" in capsys.readouterr().err


def test_a_name_that_leaves_the_folder_is_refused(batches: Batches, tmp_path: Path) -> None:
    record = {"job": "job-1", "output": {"objects": ["predictions/job-1/../../out.csv"]}}

    with pytest.raises(MlopsError, match="outside"):
        batches.download(record, tmp_path)


def test_ctrl_c_says_that_uploads_are_scored(
    batches: Batches, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Batches, "follow", interrupt)

    assert main(["batch", NAME, str(file)]) == 130

    assert "what is uploaded is scored all the same" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (f"{NAME}-batch-0123456789abcdef0123", True),
        (f"{NAME}-golden-0123456789ab", True),
        (f"{NAME}-golden-0123456789ab-r2", True),
        (f"{NAME}-batch-nightly", False),
        (f"other-{NAME}-batch-0123456789abcdef0123", False),
    ],
)
def test_a_teardown_stops_the_jobs_of_this_pipeline_only(name: str, ours: bool) -> None:
    sagemaker = boto3.client("sagemaker", region_name="us-east-1")
    summary = {
        "TransformJobName": name,
        "TransformJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{name}",
        "CreationTime": datetime(2026, 11, 27, tzinfo=timezone.utc),
        "TransformJobStatus": "InProgress",
    }

    def listed(model: Any, **_: Any) -> Any:
        members = model.output_shape.members
        (found,) = (one for one in members if one.endswith("Summaries"))
        jobs = [summary] if model.name == "ListTransformJobs" else []
        return type("Response", (), {"status_code": 200})(), {"ResponseMetadata": {}, found: jobs}

    sagemaker.meta.events.register("before-call.sagemaker", listed)
    pipeline = SimpleNamespace(name=NAME, client=lambda _: sagemaker)

    found = {one.name for one in Running(pipeline, None).jobs()}  # type: ignore[arg-type]

    assert found == ({name} if ours else set())
