"""How traffic is shifted to a new model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ._part import Part
from ._rules import in_range, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem

# An asynchronous invocation may take an hour.
MAX_LATENCY_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout(Part):
    """How traffic is shifted to a new model, and when the update is rolled back.

    Alarms on the new fleet's 5XX errors and latency roll an update back. The first deployment has nothing to roll
    back to. https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html

    Attributes:
        strategy: ``canary``, ``linear`` or ``all_at_once``. Literal.
        step_percent: Percentage of the capacity in the canary (5 to 50) or in each linear step (10 to 50).
            Literal.
        wait_interval_in_seconds: Waiting time after each step, 0 to 3,600 s. Literal.
        max_latency_ms: Average model latency, 1 to 60,000 ms (of an asynchronous endpoint to 3,600,000 ms), above which
            the update is rolled back. Literal.
        max_server_error_percent: Maximum percentage of a minute's requests that may fail with a 5XX error, 0 to 99;
            a higher one rolls the update back. Literal.
        min_requests: Minimum number of requests in a minute for this percentage to count, 1 to 1,000,000. Literal.
    """

    strategy: Literal["canary", "linear", "all_at_once"] = "canary"
    step_percent: int = 50
    wait_interval_in_seconds: int = 300
    max_latency_ms: int = 1000
    max_server_error_percent: float = 5.0
    min_requests: int = 20

    @classmethod
    def canary(
        cls,
        *,
        step_percent: int = 50,
        wait_interval_in_seconds: int = 300,
        max_latency_ms: int = 1000,
        max_server_error_percent: float = 5.0,
        min_requests: int = 20,
    ) -> Rollout:
        """Shift ``step_percent`` of the traffic first, then the rest."""
        return cls(
            strategy="canary",
            step_percent=step_percent,
            wait_interval_in_seconds=wait_interval_in_seconds,
            max_latency_ms=max_latency_ms,
            max_server_error_percent=max_server_error_percent,
            min_requests=min_requests,
        )

    @classmethod
    def linear(
        cls,
        *,
        step_percent: int = 25,
        wait_interval_in_seconds: int = 300,
        max_latency_ms: int = 1000,
        max_server_error_percent: float = 5.0,
        min_requests: int = 20,
    ) -> Rollout:
        """Shift the traffic in equal steps of ``step_percent``."""
        return cls(
            strategy="linear",
            step_percent=step_percent,
            wait_interval_in_seconds=wait_interval_in_seconds,
            max_latency_ms=max_latency_ms,
            max_server_error_percent=max_server_error_percent,
            min_requests=min_requests,
        )

    @classmethod
    def all_at_once(
        cls,
        *,
        wait_interval_in_seconds: int = 300,
        max_latency_ms: int = 1000,
        max_server_error_percent: float = 5.0,
        min_requests: int = 20,
    ) -> Rollout:
        """Shift all traffic at once, and watch the alarms for ``wait_interval_in_seconds``."""
        return cls(
            strategy="all_at_once",
            wait_interval_in_seconds=wait_interval_in_seconds,
            max_latency_ms=max_latency_ms,
            max_server_error_percent=max_server_error_percent,
            min_requests=min_requests,
        )

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from one_of("strategy", self.strategy, ("canary", "linear", "all_at_once"))
        if self.strategy != "all_at_once":
            low = 10 if self.strategy == "linear" else 5
            yield from in_range("step_percent", self.step_percent, low, 50, "percent")
        yield from in_range("wait_interval_in_seconds", self.wait_interval_in_seconds, 0, 3600, "s")
        yield from in_range("max_latency_ms", self.max_latency_ms, 1, MAX_LATENCY_MS, "ms")
        yield from in_range("max_server_error_percent", self.max_server_error_percent, 0, 99, "percent")
        yield from in_range("min_requests", self.min_requests, 1, 1_000_000, "requests")
