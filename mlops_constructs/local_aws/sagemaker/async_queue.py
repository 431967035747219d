"""The queue of an asynchronous endpoint: its requests, and those that an instance works on."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_constructs.local_aws.service import Params

CONCURRENT_INVOCATIONS = 4
"""Requests that an instance gets at one time, where MaxConcurrentInvocationsPerInstance leaves it to SageMaker."""


@dataclass(frozen=True)
class QueuedRequest:
    """One request.

    Attributes:
        params: The members of InvokeEndpointAsync.
        inference_id: Its id.
        output: S3 URI of its response.
        failure: S3 URI of the reason why there is none; empty when nothing is written.
        queued_at: When it was queued, by the account's clock.
        received: The same as time of day.
    """

    params: Params
    inference_id: str
    output: str
    failure: str
    queued_at: float
    received: datetime = field(default_factory=utc_now)

    def expires_at(self) -> float:
        """When it expires in the queue, by the account's clock; 6 hours is AWS's default."""
        return self.queued_at + float(self.params.get("RequestTTLSeconds", 21_600))


class AsyncQueue:
    """The requests of one endpoint, in the order in which they came. Safe from any thread."""

    def __init__(self, endpoint_name: str) -> None:
        self.endpoint_name = endpoint_name
        self._lock = threading.Lock()
        self._waiting: deque[QueuedRequest] = deque()
        self._active: list[QueuedRequest] = []

    @property
    def backlog(self) -> int:
        """ApproximateBacklogSize: requests that "are currently being processed or yet to be processed"."""
        with self._lock:
            return len(self._waiting) + len(self._active)

    @property
    def active(self) -> int:
        """The requests that are being processed."""
        with self._lock:
            return len(self._active)

    def oldest(self) -> QueuedRequest | None:
        """The oldest request that waits."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def put(self, request: QueuedRequest) -> None:
        """Add a request."""
        with self._lock:
            self._waiting.append(request)

    def take(self, capacity: int) -> QueuedRequest | None:
        """Take the next request while fewer than `capacity` are being processed; `done` ends it."""
        with self._lock:
            if not self._waiting or len(self._active) >= capacity:
                return None
            self._active.append(request := self._waiting.popleft())
            return request

    def take_expired(self, now: float) -> list[QueuedRequest]:
        """Take the requests that have waited too long."""
        with self._lock:
            expired = [one for one in self._waiting if one.expires_at() < now]
            self._waiting = deque(one for one in self._waiting if one not in expired)
            return expired

    def done(self, request: QueuedRequest) -> None:
        """End the processing of a request."""
        with self._lock:
            self._active.remove(request)
