"""Whether an object exists."""

from __future__ import annotations

from typing import Any

import pytest

from handler_kit import clients
from handler_kit.objects import exists


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
