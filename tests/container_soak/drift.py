"""What a server takes over time, and whether that grows.

A machine that becomes busy is no drift, so the verdict does not use how long requests take between all the others: it
uses what one takes alone (`quiet.py`). A server that becomes slower only while many clients send is not found.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from container_soak.quiet import Quiet

# Shares of the median that a trend may add from the first window to the last.
_MOST_GROWTH = 0.15
_MOST_MEGABYTES = 30.0
_MOST_DESCRIPTORS = 10.0
_MOST_SLOWER = 0.5
# The first windows bring what stays: the libraries' caches, the process that reads Parquet.
_WARM_UP = 2
LEAST_WINDOWS = 8


@dataclass(frozen=True)
class Window:
    """A part of the time.

    Attributes:
        seconds: Its end.
        megabytes: The memory of the server while nobody sends a request.
        descriptors: Its open file descriptors then.
        valid: How many valid requests were answered.
        p50, p99: Milliseconds of these requests, between all others.
        ping_p99: Milliseconds of /ping.
        quiet: What a valid request takes alone.
    """

    seconds: float
    megabytes: float
    descriptors: int
    valid: int
    p50: float
    p99: float
    ping_p99: float
    quiet: Quiet

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s {self.megabytes:6.0f} MB {self.descriptors:5} descriptors {self.valid:6} valid "
            f"p50 {self.p50:6.1f} ms p99 {self.p99:7.1f} ms ping p99 {self.ping_p99:7.1f} ms "
            f"alone {self.quiet.quickest:6.2f} ms, cpu {self.quiet.cpu:6.2f} ms, loop {self.quiet.loop:5.3f} ms"
        )


def drift(windows: Sequence[Window]) -> list[str]:
    """Say what grows from window to window.

    Raises:
        ValueError: If there are too few to tell.
    """
    if len(windows) < LEAST_WINDOWS:
        raise ValueError(f"{len(windows)} windows are too few to find a drift, {LEAST_WINDOWS} are needed")
    steady = windows[_WARM_UP:]
    found = []
    for name, least, value in _MEASURES:
        values = [value(window) for window in steady]
        growth, usual = _trend(values) * (len(values) - 1), statistics.median(values)
        if growth > max(least, _MOST_GROWTH * usual):
            found.append(f"{name} grew by {growth:.1f}, with a median of {usual:.1f}")
    for name, milliseconds in _TIMES:
        # In loops of the same moments.
        times = [milliseconds(window.quiet) / window.quiet.loop for window in steady]
        growth = _trend(times) * (len(times) - 1) / statistics.median(times)
        if growth > _MOST_SLOWER:
            found.append(f"{name} of a valid request grew by {100 * growth:.0f} %")
    return found


_MEASURES: tuple[tuple[str, float, Callable[[Window], float]], ...] = (
    ("memory in MB", _MOST_MEGABYTES, lambda window: window.megabytes),
    ("file descriptors", _MOST_DESCRIPTORS, lambda window: window.descriptors),
)
_TIMES: tuple[tuple[str, Callable[[Quiet], float]], ...] = (
    ("the processor time", lambda quiet: quiet.cpu),
    ("the time", lambda quiet: quiet.quickest),
)


def _trend(values: Sequence[float]) -> float:
    """The median of the slopes between all pairs (Theil and Sen): single windows do not move it."""
    points = list(enumerate(values))
    return statistics.median((later - earlier) / (b - a) for (a, earlier), (b, later) in combinations(points, 2))
