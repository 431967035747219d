"""How many instances an endpoint has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem, under
from ._part import Part
from ._rules import in_range
from ._tokens import is_token
from .office_hours import OfficeHours

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling(Part):
    """Target tracking on the invocations per instance, or for an asynchronous endpoint on its backlog.

    Attributes:
        min_capacity: Minimum number of instances, 1 to 1,000, with ``backlog_per_instance`` 0 to 1,000. Literal.
        max_capacity: Maximum number of instances, ``min_capacity`` to 1,000, at least 1. Literal.
        invocations_per_instance: Target value: invocations per minute and instance. Literal.
        scale_in_cooldown_seconds: Waiting time after instances are removed, 0 to 3,600 s. Literal.
        scale_out_cooldown_seconds: Waiting time after instances are added, 0 to 3,600 s. Literal.
        backlog_per_instance: For an asynchronous endpoint, the target value instead: requests in its queue per
            instance, 0.001 to 1,000,000. Literal.
        office_hours: When all of these instances are needed, with fewer at other times; None for always.
    """

    min_capacity: int = 2
    max_capacity: int = 4
    invocations_per_instance: float = 750.0
    scale_in_cooldown_seconds: int = 300
    scale_out_cooldown_seconds: int = 60
    backlog_per_instance: float | None = None
    office_hours: OfficeHours | None = None

    @classmethod
    def on_backlog(
        cls,
        *,
        min_capacity: int = 0,
        max_capacity: int = 4,
        backlog_per_instance: float | None = 5.0,
        scale_in_cooldown_seconds: int = 300,
        scale_out_cooldown_seconds: int = 60,
        office_hours: OfficeHours | None = None,
    ) -> Autoscaling:
        """For an asynchronous endpoint: no instance while its queue is empty, and one as soon as it is not."""
        return cls(
            min_capacity=min_capacity,
            max_capacity=max_capacity,
            scale_in_cooldown_seconds=scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=scale_out_cooldown_seconds,
            backlog_per_instance=backlog_per_instance,
            office_hours=office_hours,
        )

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("min_capacity", self.min_capacity, 1 if self.backlog_per_instance is None else 0, 1000)
        yield from in_range("max_capacity", self.max_capacity, 1, 1000)
        if not is_token([self.min_capacity, self.max_capacity]) and self.max_capacity < self.min_capacity:
            yield Problem(
                "max_capacity", f"must be at least min_capacity ({self.min_capacity})", self.max_capacity, "raise it"
            )
        yield from in_range("invocations_per_instance", self.invocations_per_instance, 0.001, 1e9, "a minute")
        yield from in_range("scale_in_cooldown_seconds", self.scale_in_cooldown_seconds, 0, 3600, "s")
        yield from in_range("scale_out_cooldown_seconds", self.scale_out_cooldown_seconds, 0, 3600, "s")
        if self.backlog_per_instance is not None:
            yield from in_range("backlog_per_instance", self.backlog_per_instance, 0.001, 1e6, "requests")
        if self.office_hours is not None:
            yield from under("office_hours", self.office_hours.problems())
            if self.min_capacity == 0 and self.backlog_per_instance is not None:
                yield Problem(
                    "office_hours",
                    "needs min_capacity of 1 or more: with 0 no instance runs while the queue is empty, and outside the"
                    " office hours one would",
                    "min_capacity=0",
                    "leave it out, or use min_capacity=1",
                )
