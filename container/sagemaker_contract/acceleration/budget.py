"""A limit for work that only makes predictions faster: what it takes is paid as training time."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

SHARE = 0.1
MIN_SECONDS = 5.0
_POLL_SECONDS = 0.02
_THREAD = "acceleration"
# The work may also wait, for a disk or a busy machine, but not for ever.
_WAITS = 12


class OutOfTimeError(Exception):
    """The work took too long and was abandoned."""


class Budget:
    """The processor time that a piece of work may take, in a thread of its own.

    Attributes:
        seconds: How much it may take: a tenth of the time of the training, and always a few seconds.
    """

    def __init__(self, training_seconds: float) -> None:
        self.seconds = max(SHARE * training_seconds, MIN_SECONDS)
        self._clock: int | None = None

    def is_used(self, share: float = 1.0) -> bool:
        """Whether the thread of the work, which asks, has used this share of its time."""
        return time.thread_time() > share * self.seconds

    def run(self, work: Callable[[], Result]) -> Result:
        """Do the work.

        Raises:
            OutOfTimeError: If its time is up before it ends.
        """
        results: list[Result] = []
        errors: list[BaseException] = []

        def do() -> None:
            try:
                self._clock = _clock_of_this_thread()
                results.append(work())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=do, daemon=True, name=_THREAD)
        started = time.monotonic()
        thread.start()
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
            if thread.is_alive() and self._is_over(time.monotonic() - started):
                raise OutOfTimeError
        if errors:
            raise errors[0]
        return results[0]

    def _is_over(self, passed: float) -> bool:
        if passed > _WAITS * self.seconds:
            return True
        if self._clock is None:
            return passed > self.seconds and not hasattr(time, "pthread_getcpuclockid")
        try:
            return time.clock_gettime(self._clock) > self.seconds
        except OSError:
            # The thread has just ended.
            return False


def end_if_abandoned(code: int) -> None:
    """End the process if abandoned work still runs in it: Python must not clean up under a running thread."""
    if any(thread.name == _THREAD for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _clock_of_this_thread() -> int | None:
    """The clock of the thread's processor time, for other threads to read; macOS has none."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return clock_of(threading.get_ident()) if clock_of else None
