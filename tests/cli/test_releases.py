"""The commands for releases, where AWS cannot be asked or is asked wrongly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from mlops_constructs.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME, BUCKET, DATA = "iris-1a2b3c", "artifacts", "data"
PACKAGE = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{NAME}/1"


def mlops(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "HOME": os.devnull}
    command = [sys.executable, "-m", "mlops_constructs", *arguments]
    return subprocess.run(command, env={**clean, **nowhere, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [("releases", NAME), ("rollback", NAME, "1")], ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("environment", "complaint", "remedy"),
    [
        ({}, "region", "set AWS_DEFAULT_REGION"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "credentials", "run `aws configure`"),
        ({"AWS_PROFILE": "nobody", "AWS_DEFAULT_REGION": "us-east-1"}, "nobody", "aws configure list-profiles"),
        (
            {
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "x",
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
                "AWS_MAX_ATTEMPTS": "1",
            },
            "127.0.0.1:9",
            "check the network",
        ),
    ],
    ids=["no region", "no credentials", "no profile", "no answer"],
)
def test_an_account_that_cannot_be_asked_is_told_in_a_sentence(
    command: tuple[str, ...], environment: dict[str, str], complaint: str, remedy: str
) -> None:
    done = mlops(*command, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"mlops {command[0]}: ")
    assert complaint in done.stderr
    assert remedy in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "../2", "one", ""])
def test_what_is_no_release_number_is_a_wrong_argument(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rollback", NAME, "--", number])
    assert ended.value.code == 2
    assert "must be the number of a release" in capsys.readouterr().err


def definition(*, variable: bool = True) -> dict[str, Any]:
    def action(name: str, category: str, provider: str, **configuration: str) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        outputs = [{"name": name}] if category == "Source" else []
        return {
            "name": name,
            "actionTypeId": kind,
            "configuration": configuration,
            "inputArtifacts": [],
            "outputArtifacts": outputs,
        }

    source = action(
        "Dataset",
        "Source",
        "S3",
        S3Bucket=DATA,
        S3ObjectKey="datasets/manifest.json",
        AllowOverrideForS3ObjectKey="true",
    )
    return {
        "name": NAME,
        "roleArn": "arn:aws:iam::123456789012:role/pipeline",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Approve", "actions": [action("Approve", "Approval", "Manual")]},
        ],
        **({"variables": [{"name": "Release", "defaultValue": "none"}]} if variable else {}),
    }


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}
        boto3.client("iam").create_role(
            RoleName="pipeline", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        client = boto3.client("s3")
        for bucket in (BUCKET, DATA):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=DATA, VersioningConfiguration={"Status": "Enabled"})
        yield client


def record(s3: Any, number: int, pipeline: str = NAME, **more: Any) -> None:
    entry = {
        "release": number,
        "released_at": "2026-01-14T12:10:00+00:00",
        "metrics": {"accuracy": "0.9666667", "loss": "nan"},
        "dataset": {"bucket": DATA, "key": "datasets/iris.csv", "version_id": "v7"},
        "commit": "ab" * 20,
        "approved_by": "arn:aws:sts::123456789012:assumed-role/ml-leads/ada",
        "model_data_url": f"s3://{BUCKET}/models/job/output/model.tar.gz",
        "model_package_arn": PACKAGE,
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris@sha256:" + "ab" * 32,
        "rollback_to": None,
        **more,
    }
    s3.put_object(Bucket=BUCKET, Key=f"releases/{pipeline}/{number}.json", Body=json.dumps(entry).encode())


def test_releases_are_a_table_with_the_newest_first(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition())
    record(s3, 9)
    record(s3, 10, rollback_to=9)
    assert main(["releases", NAME]) == 0
    heading, newest, oldest = capsys.readouterr().out.splitlines()
    assert heading.split() == ["release", "released", "metrics", "data", "version", "commit", "approved", "by", "note"]
    assert newest.startswith("10 ")
    assert newest.endswith("assumed-role/ml-leads/ada  rollback to 9")
    assert oldest.split()[:6] == ["9", "2026-01-14T12:10:00", "accuracy", "0.9667,", "loss", "nan"]


def test_a_promotion_and_the_end_of_a_test_are_no_rollbacks(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition())
    record(s3, 1, promotion_of=7)
    record(s3, 2, end_of_test=True, staying_release=8)
    record(s3, 3)
    assert main(["releases", NAME]) == 0
    _, upload, end, promotion = capsys.readouterr().out.splitlines()
    assert upload.endswith("/ada")
    assert end.endswith("/ada  end of a test: 8 stays")
    assert promotion.endswith("/ada  promotion of 7")
    assert main(["releases", NAME, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["rollback_to"], one.get("promotion_of"), one.get("end_of_test")) for one in told] == [
        (None, None, None),
        (None, None, True),
        (None, 7, None),
    ]


def test_the_releases_of_another_pipeline_in_the_bucket_are_not_listed(
    s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition())
    record(s3, 1)
    record(s3, 2, pipeline=f"{NAME}-too")
    assert main(["releases", NAME]) == 0
    _, only = capsys.readouterr().out.splitlines()
    assert only.startswith("1 ")
    assert main(["rollback", NAME, "2"]) == 1
    assert f"{NAME} has no release 2; there are 1" in capsys.readouterr().err


def test_everything_that_is_gone_is_told_at_once(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition())
    record(s3, 1)
    assert main(["rollback", NAME, "1"]) == 1
    told = capsys.readouterr().err
    for what in ("its data set s3://", "its model s3://", f"its model package {PACKAGE}", "its image 123456789012"):
        assert what in told


def test_a_pipeline_of_an_older_version_knows_no_rollback(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition(variable=False))
    record(s3, 1)
    assert main(["rollback", NAME, "1"]) == 1
    assert "deploy it with this version of the library first" in capsys.readouterr().err


def test_a_record_that_cannot_be_read_is_named(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition())
    s3.put_object(Bucket=BUCKET, Key=f"releases/{NAME}/1.json", Body=b"{")
    assert main(["releases", NAME]) == 1
    assert f"s3://artifacts/releases/{NAME}/1.json is not the record of a release" in capsys.readouterr().err


def test_a_record_that_cannot_be_read_hides_no_other(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("codepipeline").create_pipeline(pipeline=definition())
    record(s3, 1)
    s3.put_object(Bucket=BUCKET, Key=f"releases/{NAME}/2.json", Body=b"{")
    record(s3, 3)
    assert main(["releases", NAME]) == 1
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == ["release", "3", "1"]
    assert "Restore its previous version" in told.err
    assert main(["rollback", NAME, "1"]) == 1
    assert f"releases/{NAME}/2.json" not in capsys.readouterr().err
