"""Deliveries that a target could not take for a while: EventBridge tries them again, for up to 24 hours.

"By default, EventBridge retries sending the event for 24 hours and up to 185 times with an exponential back off and
jitter": the local AWS doubles the pause from a second to 512 seconds, without jitter. An event is not tried again
when its target does not exist, or denies it.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.account import Account, Event
    from mlops_constructs.local_aws.clock import Due
    from mlops_constructs.local_aws.service import Params

_MAX_ATTEMPTS, _MAX_AGE_SECONDS = 185, 86_400
_MAX_PAUSE_SECONDS = 512
_LOOK_SECONDS = 0.5
_PASSING = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)


def is_passing(error: Exception) -> bool:
    """Whether the same delivery may succeed later: throttling, an error of the service, a broken connection."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return bool(status >= 500 or error.response["Error"]["Code"] in _PASSING)
    if isinstance(error, AwsError):
        return error.status >= 500 or error.code in _PASSING
    return isinstance(error, BotoCoreError)


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a target.

    Attributes:
        rule: The rule that matched.
        target: Its target.
        event: The event.
        begun: When it was tried first, in seconds since 1970.
        retries: How often it was tried again.
        tried: When it was tried again last, in seconds since 1970.
    """

    rule: Params
    target: Params
    event: Event
    begun: float
    retries: int = 0
    tried: float = 0.0

    def exhausted(self, now: float) -> str:
        """Why it is not tried again; empty when it is."""
        policy = self.target.get("RetryPolicy", {})
        if self.retries >= policy.get("MaximumRetryAttempts", _MAX_ATTEMPTS):
            return "MaximumRetryAttempts"
        if now - self.begun >= policy.get("MaximumEventAgeInSeconds", _MAX_AGE_SECONDS):
            return "MaximumEventAgeInSeconds"
        return ""

    @property
    def pause_seconds(self) -> float:
        """How long it waits before it is tried again."""
        return float(min(2**self.retries, _MAX_PAUSE_SECONDS))


class Retries:
    """The deliveries that wait to be tried again, in the time of the account's clock."""

    def __init__(self, account: Account, deliver: Callable[[Delivery], None]) -> None:
        self._account, self._deliver = account, deliver
        self._waiting: list[tuple[float, Delivery]] = []
        self._lock = threading.Lock()
        account.clock.add_timer(self._due)

    def add(self, delivery: Delivery) -> None:
        """Try it again after its pause."""
        again = replace(delivery, retries=delivery.retries + 1)
        # Not from now on: the clock may have been advanced while it was tried.
        moment = max(delivery.begun, delivery.tried) + delivery.pause_seconds
        with self._lock:
            self._waiting.append((moment, again))

    def run(self) -> None:
        """Try again what is due, until the local AWS closes."""
        while not self._account.closing.wait(_LOOK_SECONDS):
            self._try(self._account.clock.time())

    def _due(self, after: float, until: float) -> Due | None:
        with self._lock:
            first = min((moment for moment, _ in self._waiting), default=None)
        if first is None or first > until:
            return None
        moment = max(first, after)
        return moment, lambda: self._try(moment)

    def _try(self, now: float) -> None:
        with self._lock:
            due = [delivery for moment, delivery in self._waiting if moment <= now]
            self._waiting = [(moment, delivery) for moment, delivery in self._waiting if moment > now]
        for delivery in due:
            self._deliver(replace(delivery, tried=now))
