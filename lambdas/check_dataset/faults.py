"""The wrong values of a file, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from check_dataset.contract import Column


class Faults:
    """The first wrong value of each column, and how many more there are."""

    def __init__(self, place: str, unit: str) -> None:
        self._place, self._unit = place, unit
        self._found: dict[int, list[Any]] = {}

    def check(self, number: int, index: int, column: Column, problem: str | None) -> None:
        """Record what is wrong with a value in the line or record with this number."""
        if problem is None:
            return
        if index in self._found:
            self._found[index][1] += 1
        else:
            self._found[index] = [
                f"{self._place}, {self._unit} {number}, column {index + 1} ({column.name}): {problem}",
                0,
            ]

    def raise_any(self) -> None:
        """Raise ConfigurationError with the wrong values, if there are any."""
        if self._found:
            lines = [f"{text} (and {more} more)" if more else text for _, (text, more) in sorted(self._found.items())]
            more = f"; and {len(lines) - 10} more columns" if len(lines) > 10 else ""
            raise ConfigurationError("; ".join(lines[:10]) + more)
