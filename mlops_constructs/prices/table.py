"""Looks a price up in the table; what the table does not have is unknown, and is never guessed."""

from __future__ import annotations

from dataclasses import dataclass

from .blocks import BLOCKS, StorageUsage, Usage

__all__ = ["Price", "StorageUsage", "Usage", "alarm_price", "hourly_price", "regions", "storage_price"]


@dataclass(frozen=True, slots=True)
class Price:
    """A price of the table.

    Attributes:
        usd: US dollars, for one instance and hour, or for one GB or one metric of alarms and month.
        source: Where it is from.
        date: Its date.
    """

    usd: float
    source: str
    date: str

    def __str__(self) -> str:
        return f"{self.source}, {self.date}"


def hourly_price(region: str | None, usage: Usage, instance_type: str) -> Price | None:
    """Return the on-demand price of one instance for an hour; None when it is unknown.

    Args:
        region: Region, or None where it is not known.
        usage: What the instance does.
        instance_type: Such as ``ml.m5.large``.
    """
    for block in BLOCKS:
        price = block.hourly.get(usage, {}).get(instance_type)
        if block.region == region and price is not None:
            return Price(price, block.source, block.date)
    return None


def storage_price(region: str | None, usage: StorageUsage) -> Price | None:
    """Return the price of one GB for a month; None when it is unknown."""
    for block in BLOCKS:
        if block.region == region and usage in block.storage:
            return Price(block.storage[usage], block.source, block.date)
    return None


def alarm_price(region: str | None) -> Price | None:
    """Return the price of one metric of CloudWatch's alarms for a month; None when it is unknown."""
    for block in BLOCKS:
        if block.region == region and block.alarm_metric is not None:
            return Price(block.alarm_metric, block.source, block.date)
    return None


def regions() -> list[str]:
    """Return the regions of which the table has a price."""
    return list(dict.fromkeys(block.region for block in BLOCKS))
