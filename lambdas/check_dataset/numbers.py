"""Numbers in cells, and their largest magnitude: training and serving compute in 32-bit floating point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FLOAT32 = 3.4028234663852886e38
# Texts that mean a missing number in CSV; in a string column, "NA" may be a value.
MISSING = frozenset({"", "nan", "na", "n/a", "null", "none"})
_INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")


def parse(text: str) -> float:
    """The number in a cell. Raises ValueError; unlike Python, it does not accept ``1_000``."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def is_number(text: str) -> bool:
    """Whether a cell is a number, finite or not."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def too_large(cell: Any) -> bool:
    """Whether a text or a value is a number that is finite, but not in 32-bit floating point."""
    if isinstance(cell, str):
        return is_number(cell) and abs(parse(cell)) > MAX_FLOAT32 and cell.strip().lower() not in _INFINITE
    # Not isinstance: True is an int in Python. JSON has no infinity: Python reads 1e999 as such.
    return type(cell) in (int, float) and abs(cell) > MAX_FLOAT32


class NumberColumns:
    """The feature columns of a file without a data contract whose cells have all been numbers, or missing."""

    def __init__(self, width: int) -> None:
        """``width`` counts all columns; the first is the label."""
        self._numeric = list(range(1, width))
        self._first: dict[int, tuple[int, str]] = {}

    def add(self, line: int, row: Sequence[str]) -> None:
        """Look at a row."""
        try:
            numbers = [float(row[index]) for index in self._numeric]
        except ValueError:
            self._add_one_by_one(line, row)
            return
        # Neither is true for NaN.
        if numbers and not (max(numbers) <= MAX_FLOAT32 and min(numbers) >= -MAX_FLOAT32):
            self._add_one_by_one(line, row)

    def _add_one_by_one(self, line: int, row: Sequence[str]) -> None:
        for index in tuple(self._numeric):
            if too_large(row[index]):
                self._first.setdefault(index, (line, row[index]))
            elif not is_number(row[index]) and row[index].strip().lower() not in MISSING:
                self._numeric.remove(index)

    def first_too_large(self) -> tuple[int, int, str] | None:
        """Line, index and text of a number that is too large, in a column that contains nothing but numbers."""
        found = [(line, index, text) for index, (line, text) in self._first.items() if index in self._numeric]
        return min(found, default=None)
