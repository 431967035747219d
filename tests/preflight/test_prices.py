"""Prices come from AWS's price list, or are unknown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from preflight import edge
from preflight.synthesized_stacks import archive, written

from mlops_constructs.preflight.demands import Demand
from mlops_constructs.preflight.prices import examine_prices

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTION = Demand("endpoint production", "ml.m5.large", "endpoint", 2, 8)


def product(price: str, component: str = "Hosting", unit: str = "Hrs") -> dict[str, Any]:
    dimension = {"unit": unit, "pricePerUnit": {"USD": price}}
    return {
        "product": {"attributes": {"component": component}},
        "terms": {"OnDemand": {"t": {"priceDimensions": {"d": dimension}}}},
    }


def priced(folder: Path, *products: dict[str, Any], demand: Demand = PRODUCTION) -> str:
    session = edge.session()
    edge.on(session, "pricing.GetProducts", edge.told({"PriceList": [json.dumps(one) for one in products]}))
    stack = written(folder, {})
    (finding,) = examine_prices(lambda: session.client("pricing"), [demand], stack, "us-east-1")
    return finding.detail


def test_the_price_of_the_use_is_taken(tmp_path: Path) -> None:
    both = (product("0.115"), product("9", "Training"), product("0", "Hosting"))
    assert priced(tmp_path, *both) == "2 to 8 x ml.m5.large: 0.115 USD per hour each"


@pytest.mark.parametrize(
    "products",
    [
        (),
        (product("1", "Training"),),
        (product("1"), product("2")),
        (product("1", unit="GB-Mo"),),
    ],
)
def test_a_price_is_never_guessed(tmp_path: Path, products: tuple[dict[str, Any], ...]) -> None:
    assert priced(tmp_path, *products) == "2 to 8 x ml.m5.large: price unknown"


def test_spot_training_costs_at_most_the_usual_price(tmp_path: Path) -> None:
    demand = Demand("training job", "ml.m5.large", "spot training job", 1, 1)
    told = priced(tmp_path, product("0.2", "Training"), demand=demand)
    assert told == "1 x ml.m5.large: 0.2 USD per hour each, less on spot"


def test_who_may_not_read_the_price_list_learns_no_price(tmp_path: Path) -> None:
    session = edge.session()
    edge.on(session, "pricing", edge.refused("AccessDeniedException"))
    (finding,) = examine_prices(lambda: session.client("pricing"), [PRODUCTION], written(tmp_path, {}), "us-east-1")
    assert (finding.state, finding.detail) == ("good", "2 to 8 x ml.m5.large: price unknown")


@pytest.mark.parametrize("sources", [{"ml.m5.large": "the pipeline's configuration"}, {}])
def test_the_price_that_the_approver_reads_is_repeated(tmp_path: Path, sources: dict[str, str]) -> None:
    prices = {"dev": {}, "production": {name: 0.24 for name in sources}}
    document = {"hourly_prices_usd": prices, "price_sources": sources}
    made = {"aws_s3_object": {"o": archive(tmp_path, "evidence.zip", {"document.json": document})}}
    findings = list(examine_prices(lambda: None, [], written(tmp_path, made), "us-east-1"))
    told = [f"{name}: 0.24 USD per hour, from {source}" for name, source in sources.items()]
    assert [one.detail for one in findings] == told
