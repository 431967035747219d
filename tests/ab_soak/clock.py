"""The clock of the code that is tested: as real time, but waits pass at once."""

from __future__ import annotations

import time

_GRAIN_SECONDS = 0.02


class Clock:
    """Takes the place of the module ``time``; what is real, such as a deployment, goes on during a wait."""

    def __init__(self) -> None:
        """Begin now."""
        self._ahead = 0.0

    def time(self) -> float:
        """Give the time."""
        return time.time() + self._ahead

    def monotonic(self) -> float:
        """Give a time that no clock change touches."""
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait: little in real time."""
        self.advance(seconds)
        time.sleep(_GRAIN_SECONDS)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds
