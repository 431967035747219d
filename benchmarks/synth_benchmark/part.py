"""The interface of a part of the benchmark: it measures, and shows its results as a table and targets."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth_benchmark.numbers import Target

Result = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of results.

    Attributes:
        title: One line.
        columns: Column headings; the first column is text, the others are numbers.
        rows: Cells, as text.
        notes: Sentences below the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = field(default=())


class Part(Protocol):
    """A module of this package that is a part of the benchmark."""

    def measure(self, work: Path, rounds: int) -> Result:
        """Measure; return the results as JSON values. ``work`` is an empty folder."""

    def table(self, result: Result) -> Table:
        """Return the results as a table."""

    def targets(self, result: Result) -> list[Target]:
        """Compare the results with the required values."""


def tell(*words: object) -> None:
    """Print progress to standard error."""
    print(*words, file=sys.stderr, flush=True)
