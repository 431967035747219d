"""When people are notified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._part import Part
from ._rules import in_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms(Part):
    """The alarms of the production endpoint, which stay after a release, and the reminder of an approval.

    They notify the approval's topic, as do the alarms on failed executions, on dead letters and on lost events, which
    are always there. Each is looked at over five minutes, for each variant. CloudWatch charges for each metric of an
    alarm.

    Attributes:
        max_server_error_percent: Percentage of the requests that end in a 5XX error, 0 to 99; None for no alarm.
            Literal.
        max_client_error_percent: The same of 4XX errors, which the caller causes. None, no alarm, unless given.
            Literal.
        max_latency_ms: Model latency, 1 to 60,000 ms, that 99 percent of the requests must not exceed; the alarm rings
            when they do in two of the last three periods. None for no alarm; an asynchronous endpoint, whose requests
            wait in a queue, has none. Literal.
        min_requests: Minimum number of requests in five minutes; with fewer, no alarm of the endpoint rings.
            1 to 1,000,000. Literal.
        approval_reminder_percent: Percentage of ``Approval(timeout_in_minutes=...)``, 1 to 99, after which an approval
            that still waits is notified again; None for no reminder. Literal.
    """

    max_server_error_percent: float | None = 5.0
    max_client_error_percent: float | None = None
    max_latency_ms: int | None = 2000
    min_requests: int = 20
    approval_reminder_percent: int | None = 50

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name in ("max_server_error_percent", "max_client_error_percent"):
            if (value := getattr(self, name)) is not None:
                yield from in_range(name, value, 0, 99, "percent")
        if self.max_latency_ms is not None:
            yield from in_range("max_latency_ms", self.max_latency_ms, 1, 60_000, "ms")
        yield from in_range("min_requests", self.min_requests, 1, 1_000_000, "requests")
        if self.approval_reminder_percent is not None:
            yield from in_range("approval_reminder_percent", self.approval_reminder_percent, 1, 99, "percent")
