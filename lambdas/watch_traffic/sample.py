"""A random sample of rows in one pass, always the same for the same rows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Sample:
    """Each set of ``size`` rows is equally likely (Vitter's algorithm R, "Random sampling with a reservoir", 1985).

    Attributes:
        size: Rows that are kept.
        seed: Of the random numbers.
        seen: Rows so far.
        rows: The kept rows.
    """

    size: int
    seed: str
    seen: int = 0
    rows: list[Sequence[object]] = field(default_factory=list)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def add(self, row: Sequence[object]) -> None:
        """Take a row."""
        self.seen += 1
        if len(self.rows) < self.size:
            self.rows.append(row)
            return
        place = int(self._random.random() * self.seen)
        if place < self.size:
            self.rows[place] = row

    def split(self, share: float) -> tuple[list[Sequence[object]], list[Sequence[object]]]:
        """Return the rows in two random parts; the first one has this share of them."""
        rows = self.rows.copy()
        self._random.shuffle(rows)
        first = int(share * len(rows))
        return rows[:first], rows[first:]
