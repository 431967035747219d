"""SageMaker lists 10 entries at a time: who reads one page has not read all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import Models, models_of_an_account, variant

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        model = made.model()
        for _ in range(12):
            made.config(variant(model))
        yield made


def test_a_list_has_pages_of_10_with_a_token(models: Models) -> None:
    first = models.sagemaker.list_endpoint_configs()
    second = models.sagemaker.list_endpoint_configs(NextToken=first["NextToken"])
    assert [len(page["EndpointConfigs"]) for page in (first, second)] == [10, 2]
    assert "NextToken" not in second


def test_a_paginator_reads_all(models: Models) -> None:
    pages = models.sagemaker.get_paginator("list_endpoint_configs").paginate()
    assert len({one["EndpointConfigName"] for page in pages for one in page["EndpointConfigs"]}) == 12


def test_a_request_may_ask_for_more(models: Models) -> None:
    answer = models.sagemaker.list_endpoint_configs(MaxResults=12)
    assert len(answer["EndpointConfigs"]) == 12
    assert "NextToken" not in answer


def test_a_token_that_no_response_contained_is_refused(models: Models) -> None:
    with pytest.raises(ClientError, match="token is invalid"):
        models.sagemaker.list_endpoint_configs(NextToken="next")
