"""What every part of the benchmark is: it measures, and shows what it measured as a table and targets."""

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
    """Numbers for people.

    Attributes:
        title: One line.
        columns: Heads; the first column is text, the others are numbers.
        rows: Cells, as text.
        notes: Sentences below.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = field(default=())


class Part(Protocol):
    """A module of this package that is a part."""

    def measure(self, work: Path, rounds: int) -> Result:
        """Give everything measured, as JSON; ``work`` is an empty folder."""

    def table(self, result: Result) -> Table:
        """Show it."""

    def targets(self, result: Result) -> list[Target]:
        """Compare it with what is asked."""


def tell(*words: object) -> None:
    """Say on standard error how it goes."""
    print(*words, file=sys.stderr, flush=True)
