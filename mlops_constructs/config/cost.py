"""What a pipeline may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._part import Part
from ._rules import in_range, instance_type, literal
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem

_MAX_USD = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Part):
    """What a pipeline may cost, and what its instances cost.

    A price is that of ``Endpoint(hourly_price_usd=...)``, or that of ``hourly_prices_usd``, or AWS's on-demand price in
    the table of this library, which is dated and incomplete; ``mlops cost`` shows it. A limit needs the price of every
    instance type that it is about.

    Attributes:
        max_training_usd: Maximum cost of the instances of one training, for all its jobs and all its time, 0.01 to
            100,000,000 US dollars. The configuration must fit; a data set that requests more is refused before a job is
            started. None for no limit. Literal.
        max_monthly_usd: What the DEV and production endpoints may cost a month (730 hours) at their maximum number of
            instances, 0.01 to 100,000,000 US dollars. A release that may cost more needs a reason: the approver is
            asked for a comment, and without one it is not deployed. None for no limit. Literal.
        hourly_prices_usd: Instance type to the price of one instance per hour, in US dollars, with your discounts; for
            training, evaluation jobs and endpoints. Literal.
    """

    max_training_usd: float | None = None
    max_monthly_usd: float | None = None
    hourly_prices_usd: Mapping[str, float] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name in ("max_training_usd", "max_monthly_usd"):
            value = getattr(self, name)
            if value is not None:
                yield from in_range(name, value, 0.01, _MAX_USD, "US dollars")
        if is_token(self.hourly_prices_usd):
            yield from literal("hourly_prices_usd", self.hourly_prices_usd)
            return
        for type_, price in self.hourly_prices_usd.items():
            place = f"hourly_prices_usd[{type_!r}]"
            yield from instance_type(place, type_)
            yield from in_range(place, price, 0, 10_000, "US dollars per hour")
