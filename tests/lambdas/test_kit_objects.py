"""Whether an object exists, and in which version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from handler_kit import clients
from handler_kit.objects import exists, object_version

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def s3() -> Any:
    client = clients.client("s3")
    client.create_bucket(Bucket="artifacts")
    client.put_object(Bucket="artifacts", Key="models/iris/model.tar.gz", Body=b"1")
    return client


def test_an_object_is_found_by_its_whole_key(s3: Any) -> None:
    assert exists(s3, "s3://artifacts/models/iris/model.tar.gz")


@pytest.mark.parametrize("key", ["models/iris/model.tar", "models/iris/", "models/iris/model.tar.gz.old", "other"])
def test_an_object_whose_key_only_begins_alike_is_another_one(s3: Any, key: str) -> None:
    assert not exists(s3, f"s3://artifacts/{key}")


def test_an_object_is_found_before_those_whose_keys_are_longer(s3: Any) -> None:
    s3.put_object(Bucket="artifacts", Key="models/iris/model.tar", Body=b"1")
    assert exists(s3, "s3://artifacts/models/iris/model.tar")


def test_an_object_has_a_version_and_a_size(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="artifacts", Key="a.csv", Body=b"1,2")["VersionId"]
    assert object_version(s3, "artifacts", "a.csv") == {"key": "a.csv", "version_id": version, "bytes": 3}


def test_an_object_that_does_not_exist_has_none(s3: Any) -> None:
    assert object_version(s3, "artifacts", "b.csv") is None


def test_for_a_function_that_lists_a_part_only_a_missing_object_is_denied(
    s3: Any, script: Callable[[str], Any]
) -> None:
    script("s3").refuse("HeadObject", "403")
    assert object_version(s3, "artifacts", "b.csv") is None


def test_an_existing_object_that_is_denied_is_an_error(s3: Any, script: Callable[[str], Any]) -> None:
    script("s3").refuse("HeadObject", "403")
    with pytest.raises(ClientError, match="403"):
        object_version(s3, "artifacts", "models/iris/model.tar.gz")
