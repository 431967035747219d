"""The metrics that AWS's services publish, added up for each minute."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MINUTE = timedelta(minutes=1)
KEPT_MINUTES = 1_440
"""The newest minutes with data that each metric keeps; AWS keeps each minute for 15 days, and hours for 455 days."""
KEPT_METRICS = 2_000
"""The metrics that are kept: those that were published last."""
_DIGITS = 3

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """The identity of a metric: each combination of dimensions is a metric of its own."""

    namespace: str
    name: str
    dimensions: Dimensions

    @staticmethod
    def of(namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        """Make a metric; the order of dimensions does not matter."""
        return Metric(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(slots=True)
class Values:
    """The values of one period. Count, sum, minimum and maximum are exact.

    `counts` has the values for percentiles and for counts between boundaries. To bound it, whole numbers are rounded
    up to three digits. A count of values up to a boundary of three digits, such as 250000, is therefore exact.
    """

    count: int = 0
    total: float = 0.0
    smallest: float = 0.0
    largest: float = 0.0
    counts: Counter[float] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Add one value."""
        self.smallest = value if self.count == 0 else min(self.smallest, value)
        self.largest = value if self.count == 0 else max(self.largest, value)
        self.count += 1
        self.total += value
        self.counts[_rounded_up(value)] += 1

    def merge(self, other: Values) -> None:
        """Add the values of another period."""
        self.smallest = other.smallest if self.count == 0 else min(self.smallest, other.smallest)
        self.largest = other.largest if self.count == 0 else max(self.largest, other.largest)
        self.count += other.count
        self.total += other.total
        self.counts.update(other.counts)


@dataclass(slots=True)
class _Series:
    unit: str
    minutes: dict[int, Values] = field(default_factory=dict)


class Metrics:
    """The published metrics of the account. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[Metric, _Series] = {}

    def publish(self, data: Iterable[tuple[Metric, str, float]], at: float) -> None:
        """Add one value of each metric, with its unit."""
        minute = int(at // 60)
        with self._lock:
            for metric, unit, value in data:
                series = self._series.pop(metric, None) or _Series(unit)
                self._series[metric] = series  # the last one is the one that was published last
                series.minutes.setdefault(minute, Values()).add(value)
                if len(series.minutes) > KEPT_MINUTES:
                    del series.minutes[min(series.minutes)]
            while len(self._series) > KEPT_METRICS:
                del self._series[next(iter(self._series))]

    def known(self) -> dict[Metric, float]:
        """Every metric, with the time of its last data."""
        with self._lock:
            return {metric: max(series.minutes) * 60.0 for metric, series in self._series.items()}

    def unit(self, metric: Metric) -> str:
        """The unit of a metric; empty when nothing was published."""
        with self._lock:
            return self._series[metric].unit if metric in self._series else ""

    def periods(self, metric: Metric, start: float, end: float, seconds: int) -> Iterator[tuple[float, Values]]:
        """The values of each period that has any, the oldest first; the first period begins in the minute of `start`.

        `seconds` is a multiple of 60; `end` is exclusive.
        """
        first = int(start // 60)
        merged: dict[int, Values] = {}
        with self._lock:
            series = self._series.get(metric)
            for minute, values in series.minutes.items() if series is not None else ():
                if first <= minute < end / 60:
                    merged.setdefault((minute - first) * 60 // seconds, Values()).merge(values)
        for period in sorted(merged):
            yield first * 60.0 + period * seconds, merged[period]


def _rounded_up(value: float) -> float:
    """A whole number of more than three digits, rounded up to three; other values are as they are."""
    if not isinstance(value, int) or value < 10**_DIGITS:
        return value
    grain: int = 10 ** (len(str(value)) - _DIGITS)
    return -(-value // grain) * grain
