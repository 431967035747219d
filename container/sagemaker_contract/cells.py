"""Parse text cells as numbers; the error names the position of the first invalid cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_CHARACTERS = 40


class NotANumberError(ValueError):
    """The cell at ``index`` is not a finite number; the message shows its content."""

    def __init__(self, index: int, cell: str) -> None:
        super().__init__(f"{shown(cell)} is not a finite number" if cell.strip() else "the value is missing")
        self.index = index


def parse_numbers(cells: Sequence[str]) -> list[float]:
    """Return every cell as a finite number.

    Raises:
        NotANumberError: For the first cell that is not a finite number.
    """
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        raise _first_bad(cells) from None
    # Python accepts 1_000 as a number; other programs do not.
    if any("_" in cell for cell in cells):
        raise _first_bad(cells)
    # One check of the sum is faster than a check of each cell. The sum may overflow although no cell is infinite.
    if not math.isfinite(sum(numbers)) and not all(map(math.isfinite, numbers)):
        raise _first_bad(cells)
    return numbers


def shown(text: str) -> str:
    """``text`` in quotes, shortened if it is long."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _first_bad(cells: Sequence[str]) -> NotANumberError:
    return next(NotANumberError(index, cell) for index, cell in enumerate(cells) if not _is_number(cell))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False
