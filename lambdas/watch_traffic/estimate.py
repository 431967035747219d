"""The accuracy that is expected of the last predictions, without outcomes (see ``calibration``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watch_traffic.calibration import Calibration, Expected

# An estimate is of so many predictions, or a few more, and none is made of fewer than MIN_RECORDS.
RECORDS, MIN_RECORDS = 2_000, 200
# So many standard errors below the limit, a fall is no chance in any single look.
ERRORS = 4.0


@dataclass
class Recent:
    """The last predictions by confidence.

    Attributes:
        looks: Begin of each look, and how many of its predictions are in each bin of the calibration.
    """

    looks: list[tuple[float, list[int]]] = field(default_factory=list)

    def add(self, begin: float, calibration: Calibration, confidences: Sequence[float]) -> None:
        """Take predictions of a look, or of a part of it; and forget what is not needed any more."""
        found = calibration.counts(confidences)
        if self.looks and self.looks[-1][0] == begin:
            found = [old + new for old, new in zip(self.looks.pop()[1], found, strict=True)]
        self.looks.append((begin, found))
        records = sum(sum(counts) for _, counts in self.looks)
        while records - sum(self.looks[0][1]) >= RECORDS:
            records -= sum(self.looks.pop(0)[1])

    def expected(self, calibration: Calibration) -> Expected | None:
        """Return the expected accuracy; None before there are enough predictions."""
        whole = [sum(counts) for counts in zip(*(counts for _, counts in self.looks), strict=True)]
        return calibration.expected_of(whole) if sum(whole) >= MIN_RECORDS else None

    def to_json(self) -> list[Any]:
        """Return everything as JSON."""
        return [[begin, counts] for begin, counts in self.looks]

    @classmethod
    def from_json(cls, written: Sequence[Any]) -> Recent:
        """Read what ``to_json`` has written."""
        return cls([(begin, list(counts)) for begin, counts in written])
