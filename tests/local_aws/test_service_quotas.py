"""Quotas of the local AWS, asked through boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "ml.m5.xlarge for training job usage"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


def quotas(aws: LocalAws, operation: str) -> dict[str, dict[str, Any]]:
    pages = aws.client("service-quotas").get_paginator(operation).paginate(ServiceCode="sagemaker")
    return {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}


def test_every_instance_type_has_a_quota_for_each_use(aws: LocalAws) -> None:
    found = quotas(aws, "list_aws_default_service_quotas")
    uses = (
        "endpoint",
        "notebook instance",
        "processing job",
        "spot training job",
        "training job",
        "training warm pool",
    )
    assert {f"ml.m5.xlarge for {use} usage" for use in uses} <= set(found)
    assert len({quota["QuotaCode"] for quota in found.values()}) == len(found)


def test_only_what_was_set_is_applied(aws: LocalAws) -> None:
    assert NAME not in quotas(aws, "list_service_quotas")
    aws.service_quotas.set(NAME, 0)
    assert quotas(aws, "list_service_quotas")[NAME]["Value"] == 0
    assert quotas(aws, "list_aws_default_service_quotas")[NAME]["Value"] > 0


def test_a_quota_that_sagemaker_has_not_cannot_be_set(aws: LocalAws) -> None:
    with pytest.raises(KeyError):
        aws.service_quotas.set("ml.m5.xlarge for nothing", 1)


def test_other_services_have_none(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        aws.client("service-quotas").list_service_quotas(ServiceCode="lambda")
