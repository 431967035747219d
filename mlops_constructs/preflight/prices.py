"""What the instances cost, by AWS's price list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .demands import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .demands import Demand
    from .stack import SynthesizedStack

# The price list's words for what SageMaker's quotas call usage.
_COMPONENTS: Mapping[str, str] = {
    "endpoint": "Hosting",
    "notebook instance": "Notebook",
    "processing job": "Processing",
    "spot training job": "Training",
    "training job": "Training",
    "training warm pool": "Training",
}
PRICING_REGION = "us-east-1"


def examine_prices(
    pricing: Callable[[], Any], wanted: Sequence[Demand], stack: SynthesizedStack, region: str
) -> Iterator[Finding]:
    """Report what one instance costs per hour and how many there are; ``unknown`` where the price list has no price.

    The price that the approver will read is shown too: the configured one, or that of the table of this library.

    Args:
        pricing: Creates a client of the Price List API, which is in us-east-1 for all regions.
        wanted: The instances that the stack runs.
        stack: The stack, for the price that the approver will read.
        region: Region of the prices.
    """
    client = pricing()
    for demand in wanted:
        price = _hourly(client, demand, region)
        count = f"{demand.first} to {demand.peak}" if demand.first != demand.peak else str(demand.peak)
        each = "price unknown" if price is None else f"{price:g} USD per hour each"
        spot = ", less on spot" if demand.usage == "spot training job" and price is not None else ""
        yield Finding(f"price {demand.part}", "good", f"{count} x {demand.instance_type}: {each}{spot}")
    for _, document in documents(stack):
        told = document.get("price_sources", {}) if isinstance(document, dict) else {}
        for instance_type, source in told.items():
            price = document["hourly_prices_usd"]["production"][instance_type]
            detail = f"{instance_type}: {price:g} USD per hour, from {source}"
            yield Finding("price that the approver reads", "good", detail)


def _hourly(client: Any, demand: Demand, region: str) -> float | None:
    """The on-demand price in US dollars, or None unless the price list gives exactly one."""
    from botocore.exceptions import BotoCoreError, ClientError

    wanted = {"regionCode": region, "instanceName": demand.instance_type}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    try:
        pages = client.get_paginator("get_products").paginate(ServiceCode="AmazonSageMaker", Filters=filters)
        products = [json.loads(text) for page in pages for text in page["PriceList"]]
    except (BotoCoreError, ClientError):
        return None
    found = {price for product in products for price in _prices(product, _COMPONENTS[demand.usage])}
    return found.pop() if len(found) == 1 else None


def _prices(product: Mapping[str, Any], component: str) -> Iterator[float]:
    attributes = product.get("product", {}).get("attributes", {})
    if str(attributes.get("component", "")).lower() != component.lower():
        return
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            # Free tiers have a row of their own.
            if dimension.get("unit") in ("Hrs", "Hours") and float(dimension["pricePerUnit"].get("USD", 0)) > 0:
                yield float(dimension["pricePerUnit"]["USD"])
