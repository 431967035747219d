"""The time of the local AWS, which a test can put forward."""

from __future__ import annotations

import threading
import time


class Clock:
    """Runs like every clock, and ahead by what it was put forward."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since an unknown moment."""
        with self._lock:
            return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass at once.

        Raises:
            ValueError: when `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} seconds")
        with self._lock:
            self._ahead += seconds
