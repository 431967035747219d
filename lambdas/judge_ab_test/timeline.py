"""The challenger's share of the traffic at any time of a test, where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handler_kit.ab_record import Segment


@dataclass(frozen=True, slots=True)
class Timeline:
    """The times with known weights.

    Attributes:
        segments: The times with constant weights, from the record.
        settling: Seconds after new weights are live in which a share is not known.
        unknown: Begin and end of each time in which somebody may have changed the weights by hand; an end that is None
            is not known yet.
    """

    segments: Sequence[Segment]
    settling: float
    unknown: Sequence[tuple[float, float | None]] = ()

    def share(self, begin: float, end: float | None = None) -> float | None:
        """Return the share at a time, or all the time from ``begin`` to ``end``.

        None where it is not known, and where no chance decides: at a share of 0 or 1.
        """
        last = begin if end is None else end
        if any(start <= last and (stop is None or begin <= stop) for start, stop in self.unknown):
            return None
        for segment in self.segments:
            until = last if segment.until is None else segment.until
            if segment.since + self.settling <= begin and last <= until:
                return segment.share if 0.0 < segment.share < 1.0 else None
        return None
