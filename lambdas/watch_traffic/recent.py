"""The counts of the last windows, over which effect sizes are measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watch_traffic.bins import Placed

# Two days of hours. Beyond it, each two windows become one, so that none is much longer than the others.
MAX_WINDOWS = 48


@dataclass(frozen=True)
class Window:
    """A window: its begin, its records, and for each feature the counts and sums in the bins."""

    begin: float
    records: int
    counts: tuple[tuple[int, ...], ...]
    sums: tuple[tuple[float, ...], ...]

    def with_window(self, other: Window) -> Window:
        """Return this window with a later one."""
        return Window(
            self.begin,
            self.records + other.records,
            tuple(_added(*both) for both in zip(self.counts, other.counts, strict=True)),
            tuple(_added(*both) for both in zip(self.sums, other.sums, strict=True)),
        )


@dataclass
class Recent:
    """
    Attributes:
        needed: As many windows are kept as have so many records.
        span: And as begin in so many seconds.
        windows: The windows, the oldest first.
    """

    needed: float
    span: float
    windows: list[Window] = field(default_factory=list)

    def add(self, begin: float, records: int, placed: Sequence[Placed], sizes: Sequence[int]) -> None:
        """Take a window, or a further part of the last one; and forget what is not needed any more."""
        counts = []
        for one, size in zip(placed, sizes, strict=True):
            found = [0] * size
            for place in one.places:
                found[place] += 1
            counts.append(tuple(found))
        window = Window(begin, records, tuple(counts), tuple(tuple(one.sums) for one in placed))
        if self.windows and self.windows[-1].begin == begin:
            window = self.windows.pop().with_window(window)
        self.windows.append(window)
        kept = sum(window.records for window in self.windows)
        while (
            len(self.windows) > 1
            and kept - self.windows[0].records >= self.needed
            and begin - self.windows[1].begin >= self.span
        ):
            kept -= self.windows.pop(0).records
        if len(self.windows) > MAX_WINDOWS:
            pairs = zip(self.windows[:-1:2], self.windows[1:-1:2], strict=True)
            self.windows = [*(first.with_window(second) for first, second in pairs), self.windows[-1]]

    def since(self, begin: float) -> Window | None:
        """Return the windows from a time as one; None if there is none."""
        found: Window | None = None
        for window in self.windows:
            if window.begin >= begin:
                found = window if found is None else found.with_window(window)
        return found

    def to_json(self) -> list[Any]:
        """Return the windows as JSON."""
        return [[one.begin, one.records, one.counts, one.sums] for one in self.windows]

    def read(self, written: Sequence[Any]) -> None:
        """Read what ``to_json`` has written."""
        self.windows = [
            Window(begin, records, tuple(map(tuple, counts)), tuple(map(tuple, sums)))
            for begin, records, counts, sums in written
        ]


def _added(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(one + other for one, other in zip(first, second, strict=True))
