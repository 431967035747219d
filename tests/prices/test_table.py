"""The table has prices with source and date, and says that it does not know the others."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from mlops_constructs.prices import alarm_price, hourly_price, regions, storage_price
from mlops_constructs.prices.blocks import BLOCKS, Block


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.region} {block.date}")
def test_every_block_has_a_source_a_date_and_prices(block: Block) -> None:
    assert block.source
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", block.date)
    prices = [price for by_type in block.hourly.values() for price in by_type.values()]
    assert [*prices, *block.storage.values()] or block.alarm_metric
    assert all(0 < price < 500 for price in prices)


def test_of_each_region_the_newest_block_is_first() -> None:
    for region in regions():
        dates = [block.date for block in BLOCKS if block.region == region]
        assert all(first >= second for first, second in pairwise(dates))


def test_the_defaults_of_the_library_have_prices_in_us_east_1() -> None:
    wanted = [("training", "ml.m5.xlarge"), ("hosting", "ml.m5.large"), ("notebook", "ml.t3.medium")]
    found = [hourly_price("us-east-1", usage, type_) for usage, type_ in wanted]  # type: ignore[arg-type]
    assert [price and price.usd for price in found] == [0.23, 0.115, 0.05]


@pytest.mark.parametrize("region", [None, "mars-north-1", "eu-west-1"])
def test_a_price_of_another_region_is_never_used(region: str | None) -> None:
    assert hourly_price(region, "hosting", "ml.m5.large") is None


def test_a_price_of_another_use_is_never_used() -> None:
    assert hourly_price("us-east-1", "hosting", "ml.m5.4xlarge") is None
    assert storage_price("us-east-1", "notebook") is None


def test_the_price_of_alarms_is_that_of_the_region() -> None:
    price = alarm_price("us-east-1")
    assert price is not None
    assert price.usd == 0.10
    assert alarm_price("eu-west-1") is None


def test_a_price_says_where_it_is_from() -> None:
    price = hourly_price("us-east-1", "training", "ml.m5.large")
    assert str(price) == "AWS price list (AmazonSageMaker), 2026-08-11"
