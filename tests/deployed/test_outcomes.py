"""Outcomes are checked line by line, and stored in the form of SageMaker Model Monitor."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from mlops_constructs import MlopsError
from mlops_constructs.cli.main import main
from mlops_constructs.deployed import DeployedPipeline, connect, outcomes
from mlops_constructs.deployed.outcomes import upload_outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, BUCKET = "iris-1a2b3c", "artifacts"
NOW = datetime(2026, 11, 26, 7, 59, tzinfo=timezone.utc)


@pytest.fixture
def s3() -> Iterator[Any]:
    """Buckets, and a pipeline."""
    with mock_aws():
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        boto3.client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=policy)
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        kind = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
        configuration = {"S3Bucket": "data", "S3ObjectKey": "x/y", "AllowOverrideForS3ObjectKey": "true"}
        source = {
            "name": "Dataset",
            "actionTypeId": kind,
            "configuration": configuration,
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
            "roleArn": "arn:aws:iam::123456789012:role/pipeline",
            "artifactStore": {"type": "S3", "location": BUCKET},
            "stages": [{"name": "Source", "actions": [source]}, {"name": "Approve", "actions": [approval]}],
        }
        boto3.client("codepipeline").create_pipeline(pipeline=definition)
        yield client


def uploaded(s3: Any) -> dict[str, list[dict[str, Any]]]:
    """The lines of each object."""
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    bodies = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}
    return {key: [json.loads(line) for line in body.splitlines()] for key, body in bodies.items()}


def truth(inference_id: str, data: str, encoding: str = "CSV") -> dict[str, Any]:
    return {
        "groundTruthData": {"data": data, "encoding": encoding},
        "eventMetadata": {"eventId": inference_id},
        "eventVersion": "0",
    }


def file(folder: Path, text: str, name: str = "day 1.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def pipeline() -> DeployedPipeline:
    return DeployedPipeline.read(connect(), NAME)


def test_a_table_and_json_lines_are_stored_the_same_way_under_the_hour(s3: Any, tmp_path: Path) -> None:
    table = file(tmp_path, '\ufeffinference_id,outcome\r\na.1,1\r\n\r\n"b.2"," true"\r\n')
    lines = file(tmp_path, json.dumps(truth("c.3", "e30=", "BASE64")) + "\n\n", "more.jsonl")
    count, uris = upload_outcomes(pipeline(), [table, lines], NOW)
    found = uploaded(s3)
    assert (count, uris) == (3, [f"s3://{BUCKET}/{key}" for key in found])
    folder = f"ground-truth/{NAME}/2026/11/26/07/"
    assert [key.rpartition("-")[0] for key in found] == [f"{folder}day-1", f"{folder}more"]
    assert list(found.values()) == [[truth("a.1", "1"), truth("b.2", "true")], [truth("c.3", "e30=", "BASE64")]]
    # Once more at once: the same objects.
    upload_outcomes(pipeline(), [table, lines], NOW)
    assert uploaded(s3) == found


def test_a_large_file_becomes_several_objects(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "_LINES_PER_OBJECT", 2)
    table = file(tmp_path, "inference_id,outcome\n" + "".join(f"id-{number},1\n" for number in range(5)))
    assert upload_outcomes(pipeline(), [table], NOW)[0] == 5
    assert sorted(map(len, uploaded(s3).values())) == [1, 2, 2]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the file has no outcomes"),
        ("inference_id,outcome\n", "line 1: the file has no outcomes"),
        ("id,outcome\na,1\n", "line 1: the header must be inference_id,outcome, got 'id,outcome'"),
        ("inference_id,outcome\n,1\n", "line 2: has no inference id"),
        ("inference_id,outcome\na,\n", "line 2: has no outcome"),
        ("inference_id,outcome\na\n", "line 2: must have 2 values, got 1"),
        ("inference_id,outcome\na,1,2\n", "line 2: must have 2 values, got 3"),
        (f"inference_id,outcome\n{'a' * 65},1\n", "(65 characters)"),
        ("inference_id,outcome\nä,1\n", "must be 1 to 64 printable ASCII characters"),
        ('{"a": 1}\n', "line 1: must have groundTruthData.data and eventMetadata.eventId"),
        ("{\n", "line 1: is not JSON"),
        ('{"groundTruthData": {"data": "1"}, "eventMetadata": {"eventId": "a"}}\n7\n', "line 2: must have ground"),
        ('{"groundTruthData": {"data": 1}, "eventMetadata": {"eventId": "a"}}\n', "must be strings"),
        ('{"groundTruthData": {"data": "1"}, "eventMetadata": {"eventId": ""}}\n', "line 1: has no inference id"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_and_nothing_is_uploaded(
    s3: Any, tmp_path: Path, text: str, problem: str
) -> None:
    good = file(tmp_path, "inference_id,outcome\na,1\n", "good.csv")
    with pytest.raises(MlopsError) as told:
        upload_outcomes(pipeline(), [good, file(tmp_path, text)], NOW)
    assert problem in str(told.value)
    assert str(told.value).endswith("; nothing was uploaded")
    assert uploaded(s3) == {}


def test_many_problems_are_told_together_and_the_first_ten_are_shown(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = file(tmp_path, "inference_id,outcome\nok,1\n" + ",1\n" * 12)
    assert main(["outcomes", NAME, str(table)]) == 1
    told = capsys.readouterr().err
    assert told.count("has no inference id") == 10
    assert f"mlops outcomes: {table}, line 3: has no inference id; " in told
    assert "line 12: has no inference id; and 2 more; nothing was uploaded" in told
    assert uploaded(s3) == {}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: path.write_bytes(b"inference_id,outcome\n\xff,1\n"), "is not UTF-8 text"),
    ],
    ids=["missing", "folder", "bytes"],
)
def test_a_file_that_cannot_be_read_is_named(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, told: str
) -> None:
    path = tmp_path / "x.csv"
    make(path)
    assert main(["outcomes", NAME, str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"mlops outcomes: {path}")
    assert told in said
    assert uploaded(s3) == {}


def test_the_command_says_what_it_has_uploaded(s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = file(tmp_path, "inference_id,outcome\na,1\n", "x.csv")
    assert main(["outcomes", NAME, str(table)]) == 0
    heading, uri = capsys.readouterr().out.splitlines()
    assert heading == f"1 outcome is uploaded for {NAME}:"
    assert main(["outcomes", NAME, str(table), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pipeline"], told["outcomes"]) == (NAME, 1)
    assert uri.strip().removeprefix(f"s3://{BUCKET}/") in uploaded(s3)
