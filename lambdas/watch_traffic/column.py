"""One pass over the values of a feature: what is counted of every row, with memory that does not grow."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watch_traffic.bins import MISSING, NUMBER, TEXT
from watch_traffic.values import is_missing_number, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable

# The share of values that may be no number in a feature of numbers: Model Monitor's ``datatype_check_threshold``.
MAX_OTHER_TYPE = 0.1
# So many different values are counted.
MAX_DISTINCT = 1_000


@dataclass
class Column:
    """
    Attributes:
        empty: Rows without a value.
        marked: Rows whose text stands for a missing number, such as "NA".
        texts: Rows with any other text.
        numbers: Rows with a number.
        mean: Of the numbers.
        squares: Sum of their squared distances from the mean (Welford's algorithm).
        low: The smallest one.
        high: The largest one.
        integral: Whether all of them are integers.
        distinct: The different values, up to ``MAX_DISTINCT``.
    """

    empty: int = 0
    marked: int = 0
    texts: int = 0
    numbers: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    integral: bool = True
    distinct: set[str] = field(default_factory=set)

    def add(self, value: object) -> None:
        """Count the value of a row."""
        found = number(value)
        if found is not None:
            self._add_number(found)
        elif not (name := text(value)):
            self.empty += 1
            return
        elif is_missing_number(name):
            self.marked += 1
        else:
            self.texts += 1
        if len(self.distinct) < MAX_DISTINCT:
            self.distinct.add(text(value))

    def _add_number(self, found: float) -> None:
        self.numbers += 1
        distance = found - self.mean
        self.mean += distance / self.numbers
        self.squares += distance * (found - self.mean)
        self.low, self.high = min(self.low, found), max(self.high, found)
        self.integral = self.integral and found.is_integer()

    @property
    def kind(self) -> str:
        """The kind of the feature."""
        if self.numbers and self.numbers >= (1.0 - MAX_OTHER_TYPE) * (self.numbers + self.texts):
            return NUMBER
        return TEXT if self.numbers + self.texts else MISSING

    @property
    def deviation(self) -> float:
        """The standard deviation of the numbers."""
        return math.sqrt(self.squares / self.numbers) if self.numbers else 0.0

    def statistics(self, kind: str) -> dict[str, Any]:
        """Return the statistics of a feature of this kind, without the distribution.

        They are a feature of Model Monitor's ``statistics.json``.
        """
        missing = self.empty + (0 if kind == TEXT else self.marked)
        common = {"num_present": self.empty + self.marked + self.texts + self.numbers - missing, "num_missing": missing}
        if kind == NUMBER:
            numerical = {
                "common": common,
                "mean": self.mean,
                "sum": self.mean * self.numbers,
                "std_dev": self.deviation,
                "min": self.low,
                "max": self.high,
            }
            return {"inferred_type": "Integral" if self.integral else "Fractional", "numerical_statistics": numerical}
        texts = {"common": common, "distinct_count": len(self.distinct)}
        return {"inferred_type": "String" if kind == TEXT else "Unknown", "string_statistics": texts}


def kind_of(values: Iterable[object]) -> str:
    """Return the kind of a feature with these values."""
    column = Column()
    for value in values:
        column.add(value)
    return column.kind
