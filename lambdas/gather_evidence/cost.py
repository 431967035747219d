"""What the endpoints cost, as text for the approver, and whether that needs a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gather_evidence import asked
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gather_evidence.settings import Document, Settings

UNKNOWN = "unknown"
# AWS's pricing pages use the hours of an average month.
HOURS_PER_MONTH = 730


@dataclass(frozen=True)
class Cost:
    """What the endpoints cost after the release, in US dollars as text.

    Attributes:
        hourly: Production, per hour.
        monthly: DEV and production, per month.
        dev: For how long DEV is part of it.
        source: Where the price of production is from.
        reason: Why the approver must give a reason, or ``none``.
    """

    hourly: str
    monthly: str
    dev: str
    source: str
    reason: str


def cost_of(request: Mapping[str, Mapping[str, Any]], settings: Settings, document: Document) -> Cost:
    """What the endpoints cost as the data set requests them; an A/B test can occupy two fleets in production."""
    requested = request["endpoints"]
    production = {**settings.production_parameters, **requested.get("production", {})}
    dev = {**document.dev_parameters, **requested.get("dev", {})}
    fleets = 1 if settings.ab_test is None else 2
    hourly = _hourly(production, document.hourly_prices_usd["production"], fleets)
    monthly = _sum(_month("production", production, document, fleets), _dev(dev, document))
    source = document.price_sources.get(production.get("InstanceType", ""), UNKNOWN)
    return Cost(_span(hourly), _span(monthly), _dev_text(document), source, _reason(monthly, document.max_monthly_usd))


def _hourly(parameters: Mapping[str, str], prices: Mapping[str, float], fleets: int = 1) -> tuple[float, float] | None:
    """The minimum, and the maximum with this number of fleets; ``None`` without a known price, or without instances."""
    price = prices.get(parameters.get("InstanceType", ""))
    if price is None:
        return None
    least, most = asked.instances(parameters)
    return least * price, fleets * most * price


def _month(
    environment: str, parameters: Mapping[str, str], document: Document, fleets: int = 1
) -> tuple[float, float] | None:
    """A month of an endpoint, with fewer instances outside its office hours."""
    prices = document.hourly_prices_usd[environment]
    hourly = _hourly(parameters, prices, fleets)
    hours = document.office_hours.get(environment)
    if hourly is None or hours is None or parameters["Autoscales"] != "true":
        return None if hourly is None else (hourly[0] * HOURS_PER_MONTH, hourly[1] * HOURS_PER_MONTH)
    price, within = prices[parameters["InstanceType"]], hours["Share"] * HOURS_PER_MONTH
    outside = (HOURS_PER_MONTH - within) * price
    least, most = hours["MinCapacity"], fleets * hours["MaxCapacity"]
    return hourly[0] * within + least * outside, hourly[1] * within + most * outside


def _dev(parameters: Mapping[str, str], document: Document) -> tuple[float, float] | None:
    """A month of DEV with one release: until the decision, which may come at once."""
    if document.max_dev_hours is None:
        return _month("dev", parameters, document)
    hourly = _hourly(parameters, document.hourly_prices_usd["dev"])
    return None if hourly is None else (0.0, hourly[1] * document.max_dev_hours)


def _dev_text(document: Document) -> str:
    if document.max_dev_hours is None:
        return "all month"
    return f"until the decision about one release a month, at most {document.max_dev_hours:g} h"


def _sum(one: tuple[float, float] | None, other: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if one is None or other is None else (one[0] + other[0], one[1] + other[1])


def _reason(monthly: tuple[float, float] | None, limit: float | None) -> str:
    if limit is None or (monthly is not None and round(monthly[1] * 100) <= round(limit * 100)):
        return NONE
    cost = "an unknown amount" if monthly is None else f"up to {_rounded(monthly[1])} USD"
    return f"{cost} a month, more than max_monthly_usd ({_rounded(limit)} USD)"


def _span(amount: tuple[float, float] | None) -> str:
    if amount is None:
        return UNKNOWN
    least, most = map(_rounded, amount)
    return f"{least if least == most else f'{least} to {most}'} USD"


def _rounded(usd: float) -> str:
    return f"{usd:,.0f}" if usd >= 100 else f"{usd:.2f}"
