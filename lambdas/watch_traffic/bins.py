"""The bins of a feature: in each, records of the training data and of the traffic are counted.

The last bin is for missing values. The one before it is for "other" values: categories that are rare or unknown, and
what is no number in a feature of numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from watch_traffic.values import is_missing_number, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NUMBER, TEXT, MISSING = "number", "text", "missing"
# Of the values that set the bins, so many are in one of numbers, and in one of a text. Few rows have few bins.
_MIN_NUMBERS, _MIN_TEXTS = 10, 3


class Placed(NamedTuple):
    """The bin of each record, and the sum of the numbers in each bin."""

    places: list[int]
    sums: list[float]


@dataclass(frozen=True, slots=True)
class Bins:
    """
    Attributes:
        kind: ``number``, ``text``, or ``missing`` where no record has a value.
        edges: Of numbers: the largest value of each bin but the last one, which has no end.
        categories: Of texts: the value of each bin. Where no record has a value, the empty text is the only one, and
            every value is another one.
    """

    kind: str
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """Number of bins before "other" and "missing"."""
        return len(self.edges) + 1 if self.kind == NUMBER else len(self.categories)

    @property
    def size(self) -> int:
        """Number of all bins."""
        return self.known + 2

    def place(self, values: Sequence[object]) -> Placed:
        """Return the bin of each value."""
        sums = [0.0] * self.size
        if self.kind == NUMBER:
            return Placed(self._place_numbers(values, sums), sums)
        other, missing = self.known, self.known + 1
        numbers = {name: place for place, name in enumerate(self.categories)}
        if self.kind == MISSING:
            return Placed([0 if is_missing_number(value) else other for value in values], sums)
        names = [text(value) for value in values]
        return Placed([numbers.get(name, other) if name else missing for name in names], sums)

    def _place_numbers(self, values: Sequence[object], sums: list[float]) -> list[int]:
        edges, other, missing = self.edges, self.known, self.known + 1
        places = []
        for value in values:
            found = number(value)
            if found is None:
                places.append(missing if is_missing_number(value) else other)
            else:
                place = bisect_left(edges, found)
                sums[place] += found
                places.append(place)
        return places

    def to_json(self) -> dict[str, Any]:
        """Return the bins as JSON."""
        return {"kind": self.kind, "edges": list(self.edges), "categories": list(self.categories)}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Bins:
        """Read what ``to_json`` has written."""
        return cls(written["kind"], tuple(written["edges"]), tuple(written["categories"]))


def bins_of(kind: str, values: Sequence[object], max_bins: int, max_categories: int) -> Bins:
    """Return bins for values like these: quantiles of numbers, the most frequent texts."""
    if kind == NUMBER:
        numbers = sorted(found for value in values if (found := number(value)) is not None)
        count = max(2, min(max_bins, len(numbers) // _MIN_NUMBERS))
        distinct = sorted(set(numbers))
        if len(distinct) <= count:
            return Bins(kind, tuple(distinct[:-1]))
        edges = {numbers[len(numbers) * place // count - 1] for place in range(1, count)}
        return Bins(kind, tuple(sorted(edges - {distinct[-1]})))
    if kind == TEXT:
        names = Counter(name for value in values if (name := text(value)))
        ordered = sorted(names.items(), key=lambda item: (-item[1], item[0]))
        frequent = [name for name, count in ordered[:max_categories] if count >= _MIN_TEXTS]
        return Bins(kind, categories=tuple(frequent or [ordered[0][0]]))
    return Bins(kind, categories=("",))


def histogram(placed: Placed, size: int) -> list[int]:
    """Return how many records are in each bin."""
    counts = Counter(placed.places)
    return [counts[place] for place in range(size)]
