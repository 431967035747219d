"""The key of a log group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def logs() -> Iterator[Any]:
    with LocalAws() as aws:
        yield aws.client("logs")


def test_it_can_be_changed_and_taken_away(logs: Any) -> None:
    logs.create_log_group(logGroupName="g", kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/1")
    logs.associate_kms_key(logGroupName="g", kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/2")
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["kmsKeyId"].endswith("key/2")
    logs.disassociate_kms_key(logGroupName="g")
    (group,) = logs.describe_log_groups()["logGroups"]
    assert "kmsKeyId" not in group


def test_a_group_that_does_not_exist_has_none(logs: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.associate_kms_key(logGroupName="none", kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/2")
