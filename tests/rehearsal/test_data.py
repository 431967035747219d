"""The data set of a rehearsal goes where the deployed pipeline looks for one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.foreign_buckets import ForeignBuckets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = RehearsalData("iris", {"train": b"a,1\n", "validation": b"b,2\n"}, [])


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(region="eu-west-1") as aws:
        yield aws


@pytest.mark.parametrize(
    ("folder", "suffix", "keys"),
    [
        ("data/", "", ["data/iris/train.csv", "data/iris/validation.csv", "sets/iris.json"]),
        ("raw/", ".json", ["raw/iris/train.csv", "raw/iris/validation.csv", "sets/iris.json"]),
        (None, ".json", ["sets/data/iris/train.csv", "sets/data/iris/validation.csv", "sets/iris.json"]),
        (None, "", ["sets/iris.csv"]),
        (None, ".csv", ["sets/iris.csv"]),
        ("data/", "-v1.csv", ["sets/iris-v1.csv"]),
    ],
)
def test_exactly_one_object_starts_the_pipeline(
    aws: LocalAws, folder: str | None, suffix: str, keys: list[str]
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    started = DATA.upload(s3, "lake", "sets/", folder=folder, suffix=suffix)
    found = [one["Key"] for one in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert found == keys
    assert [key for key in found if key.startswith("sets/") and key.endswith(suffix)] == [started]


def test_what_upload_takes_is_rehearsed_but_for_what_is_held_out(aws: LocalAws, tmp_path: Path) -> None:
    for name in ("train/cat/0.png", "train/dog/0.png", "holdout.csv", "contract.json"):
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / name).write_text("1,cat\n")
    columns = [{"name": "legs"}, {"name": "kind"}]
    (tmp_path / "pets" / "contract.json").write_text(json.dumps({"columns": columns, "label": "kind"}))
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    data = RehearsalData.find([str(tmp_path / "pets")])
    assert data.holdout == [["cat", "1"]]
    assert data.upload(s3, "lake", "sets/") == "sets/pets.json"
    keys = {one["Key"] for one in s3.list_objects_v2(Bucket="lake")["Contents"]}
    pictures = {"data/pets/train/cat/0.png", "data/pets/train/dog/0.png"}
    assert keys == {*pictures, "data/pets/contract.json", "sets/pets.json"}
    with pytest.raises(RehearsalError, match="starts on one object"):
        data.upload(s3, "lake", "sets/", folder=None)


def test_iris_is_what_scikit_learn_gives_in_a_fair_split() -> None:
    bunch = load_iris()
    labels = [str(bunch.target_names[target]) for target in bunch.target]
    rows = [[label, *map(str, features)] for label, features in zip(labels, bunch.data.tolist(), strict=True)]
    train, rest = train_test_split(rows, train_size=90, random_state=7, stratify=labels)
    validation, holdout = train_test_split(rest, train_size=30, random_state=7, stratify=[row[0] for row in rest])
    iris = RehearsalData.iris()
    assert {name: body.decode().splitlines() for name, body in iris.channels.items()} == {
        "train": [",".join(row) for row in train],
        "validation": [",".join(row) for row in validation],
    }
    assert iris.holdout == holdout


def test_buckets_that_a_stack_names_and_does_not_make_are_stood_in_for(aws: LocalAws, tmp_path: Path) -> None:
    actions = [{"configuration": {"S3Bucket": "team-data"}}, {"configuration": {"S3Bucket": "${aws_s3_bucket.a.id}"}}]
    variables = {"READABLE": "s3://team-data/sets/ s3://raw/ s3://made/"}
    resources = {
        "aws_codepipeline": {"p": {"artifact_store": [{"location": "${x}"}], "stage": [{"action": actions}]}},
        "aws_lambda_function": {"f": {"environment": {"variables": variables}}, "g": {}},
        "aws_s3_bucket": {"a": {"bucket": "made"}},
    }
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"resource": resources}))
    s3, buckets = aws.client("s3"), ForeignBuckets(tmp_path, aws)
    assert buckets.make() == ["raw", "team-data"]
    assert s3.get_bucket_versioning(Bucket="team-data")["Status"] == "Enabled"
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="team-data")
    buckets.delete()
    assert s3.list_buckets()["Buckets"] == []
