"""Numbers out of text cells, with the exact place of the first that is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_CHARACTERS = 40


class NotANumberError(ValueError):
    """The cell at ``index`` is no finite number; the text says what it is instead."""

    def __init__(self, index: int, cell: str) -> None:
        super().__init__(f"{shown(cell)} is not a finite number" if cell.strip() else "the value is missing")
        self.index = index


def parse_numbers(cells: Sequence[str]) -> list[float]:
    """Every cell as a finite number.

    Raises:
        NotANumberError: For the first cell that is none.
    """
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        raise _first_bad(cells) from None
    # Python reads 1_000 as a number; nobody else does.
    if any("_" in cell for cell in cells):
        raise _first_bad(cells)
    # One look at the sum instead of one at each cell; a sum may overflow where no cell does.
    if not math.isfinite(sum(numbers)) and not all(map(math.isfinite, numbers)):
        raise _first_bad(cells)
    return numbers


def shown(text: str) -> str:
    """``text`` quoted, and cut where it is long."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _first_bad(cells: Sequence[str]) -> NotANumberError:
    return next(NotANumberError(index, cell) for index, cell in enumerate(cells) if not _is_number(cell))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False
