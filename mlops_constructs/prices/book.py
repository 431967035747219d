"""The prices of one pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .table import hourly_price

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .table import Usage

UNKNOWN, CONFIGURED = "unknown", "the pipeline's configuration"


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The prices of one pipeline: the caller's, then those that were deployed with it, then the table.

    Attributes:
        region: Region of the table's prices, or None where it is not known.
        own: Instance type to the caller's price.
        deployed: Part (``training``, ``dev``, ``production``) to instance type to the price in its function's document.
    """

    region: str | None
    own: Mapping[str, float]
    deployed: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, region: str | None, own: Mapping[str, float], documents: Iterable[Any]) -> PriceBook:
        """Read the prices in the documents of the functions."""
        deployed: dict[str, Mapping[str, float]] = {}
        for document in documents:
            prices = document.get("hourly_prices_usd", {}) if isinstance(document, dict) else {}
            deployed |= {"training": prices} if "training_job" in (document if prices else {}) else prices
        return cls(region, own, deployed)

    def find(self, part: str, usage: Usage, instance_type: str) -> tuple[float | None, str]:
        """Return the price of an hour and its source; None and ``unknown`` where there is none."""
        listed = hourly_price(self.region, usage, instance_type)
        known = self.deployed.get(part, {}).get(instance_type)
        if instance_type in self.own:
            return self.own[instance_type], "the command's --price"
        if known is not None and (listed is None or listed.usd != known):
            return known, CONFIGURED
        return (None, UNKNOWN) if listed is None else (listed.usd, str(listed))
