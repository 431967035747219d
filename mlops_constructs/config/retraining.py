"""What follows an alarm of the watch over production: an execution on new data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import boolean, in_range

if TYPE_CHECKING:
    from collections.abc import Iterator

_REASONS = ("drift", "quality", "estimated_quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining(Part):
    """Start an execution when production has drifted or got worse: on new data only, and once for all alarms.

    A data set is new when no execution has taken it and it was not uploaded before one that was trained on. Without new
    data the alarms wait for it, and people are notified. All alarms until the end of the cooldown belong to the
    execution that the first of them starts, unless it becomes a release. It goes through gate and approval as any
    other, and the approver reads why it was started. For executions on a schedule see ``Dataset``.

    With ``Dataset(start_on_upload=True)``, the default, each upload starts an execution by itself, so there is hardly
    ever new data; alarms then only notify people that new data is needed.

    Attributes:
        on_drift: Whether drift of a feature or of the predictions starts an execution. Literal.
        on_quality: Whether too few right predictions do; needs ``Monitoring.quality``. Literal.
        on_estimated_quality: Whether too few right predictions by estimate do. Literal.
        min_new_datasets: So many data sets must be new, 1 to 1,000; the newest of them is trained on. Literal.
        cooldown_in_hours: Time between two executions that alarms start, 1 to 2,160 hours. Literal.
        max_executions_per_month: So many executions may alarms start in a calendar month (UTC), 1 to 100. Literal.
    """

    on_drift: bool = True
    on_quality: bool = True
    on_estimated_quality: bool = False
    min_new_datasets: int = 1
    cooldown_in_hours: float = 24.0
    max_executions_per_month: int = 4

    @property
    def reasons(self) -> list[str]:
        """The kinds of alarms that start an execution."""
        return [reason for reason in _REASONS if getattr(self, f"on_{reason}")]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        names = [f"on_{reason}" for reason in _REASONS]
        for name in names:
            yield from boolean(name, getattr(self, name))
        if not any(getattr(self, name) for name in names):
            rule = f"one of {', '.join(names)} must be True, or no alarm starts anything"
            yield Problem("on_drift", rule, False, "choose one, or leave retraining out")
        for name, most in (("min_new_datasets", 1000), ("max_executions_per_month", 100)):
            yield from in_range(name, getattr(self, name), 1, most)
        yield from in_range("cooldown_in_hours", self.cooldown_in_hours, 1, 2160, "hours")
