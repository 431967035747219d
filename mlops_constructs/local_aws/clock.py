"""The clock of the local AWS, which a test can advance."""

from __future__ import annotations

import threading
import time


class Clock:
    """A monotonic clock and the time of day, both plus the seconds by which they were advanced."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        with self._lock:
            return time.monotonic() + self._ahead

    def time(self) -> float:
        """Seconds since 1970."""
        with self._lock:
            return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: when `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"the clock cannot be moved backwards: {seconds} seconds")
        with self._lock:
            self._ahead += seconds
