"""What serverless and asynchronous endpoints cost, as far as it can be known."""

from __future__ import annotations

from typing import Any

from mlops_constructs import Endpoint
from mlops_constructs.config.requests import AllowedEndpoint, EndpointLimits
from mlops_constructs.prices.amounts import Amount
from mlops_constructs.prices.book import UNKNOWN, PriceBook
from mlops_constructs.prices.rows import Row, monthly, rows_of
from mlops_constructs.stages.deployment.parameters import fleet_parameters


def row_of(config: Endpoint) -> Row:
    parameters: dict[str, Any] = dict(fleet_parameters(config, AllowedEndpoint.of(config, EndpointLimits())))
    rows = rows_of([], {"production": parameters}, None, PriceBook.of("us-east-1", {"ml.m5.large": 0.1}, []), 8)
    return next(row for row in rows if row.part == "production endpoint")


def test_what_a_serverless_endpoint_costs_is_unknown() -> None:
    row = row_of(Endpoint.serverless(max_concurrency=20, provisioned_concurrency=1))
    assert row.what == "serverless, 2048 MB, up to 20 at a time, 1 kept ready"
    assert (row.hourly, row.amount, row.source, row.period) == (None, None, UNKNOWN, "by its requests")
    assert monthly([row])[1] == ["production endpoint"]


def test_an_asynchronous_endpoint_costs_nothing_at_least() -> None:
    row = row_of(Endpoint.asynchronous())
    assert row.what == "0 to 4 x ml.m5.large"
    assert row.hourly == Amount(0.0, 0.4)
