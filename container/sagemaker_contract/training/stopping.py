"""SIGTERM in a training job: SageMaker kills the container 120 seconds after it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

GRACE_SECONDS = 90


class Stopped(BaseException):
    """The job must stop; ``except Exception`` in an algorithm does not catch it."""


class StopSignal:
    """Raises ``Stopped`` on SIGTERM; inside ``deferred``, ``GRACE_SECONDS`` later."""

    def __init__(self) -> None:
        self._requested = False
        self._deferred = False

    def install(self) -> None:
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGALRM, self._on_overdue)

    def ignore(self) -> None:
        """Ignore further signals, so that nothing interrupts the report."""
        signal.alarm(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def requested(self) -> bool:
        return self._requested

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Give the code inside time to end by itself and save its model."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
            signal.alarm(0)

    def _on_term(self, _signal: int, _frame: FrameType | None) -> None:
        self._requested = True
        if not self._deferred:
            raise Stopped("stopped by SIGTERM before the job was complete")
        signal.alarm(GRACE_SECONDS)

    def _on_overdue(self, _signal: int, _frame: FrameType | None) -> None:
        raise Stopped(f"stopped by SIGTERM; the training returned no model within {GRACE_SECONDS} seconds")
