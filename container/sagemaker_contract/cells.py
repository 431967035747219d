"""Parse cells as numbers; the error names the position of the first invalid cell."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Models and the endpoint compute in 32-bit floating point.
MAX_FLOAT32 = 3.4028234663852886e38
_SHOWN_CHARACTERS = 40
_BOOLEANS = {"true": 1.0, "false": 0.0}


class NotANumberError(ValueError):
    """The cell at ``index`` is not a finite number; the message shows its content, ``remedy`` says what to do."""

    def __init__(self, index: int, cell: str) -> None:
        super().__init__(f"{shown(cell)} is not a finite number" if cell.strip() else "the value is missing")
        self.index = index
        self.remedy = (
            "encode text as numbers, or read it with read_frame; the label is the first column, unless a data contract"
            " names it"
        )
        if not cell.strip():
            self.remedy = "fill it in, or remove the row"


class TooLargeError(NotANumberError):
    """The number at ``index`` is finite, but not in 32-bit floating point."""

    def __init__(self, index: int, number: float) -> None:
        ValueError.__init__(self, f"{number:g} is beyond 32-bit floating point (at most {MAX_FLOAT32:.4g})")
        self.index = index
        self.remedy = "scale the column"


def parse_numbers(cells: Sequence[str]) -> list[float]:
    """Return every cell as a finite number; the texts true and false are 1 and 0.

    Raises:
        NotANumberError: For the first cell that is not a finite number.
    """
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        numbers = [math.nan]
    # One check of the sum is faster than a check of each cell. The sum may overflow although no cell is infinite.
    finite = math.isfinite(sum(numbers)) or all(map(math.isfinite, numbers))
    # Python accepts 1_000 as a number; other programs do not.
    if finite and not any("_" in cell for cell in cells):
        return numbers
    return [_parsed(index, cell) for index, cell in enumerate(cells)]


def typed_numbers(cells: Sequence[Any]) -> list[float]:
    """Return cells that have types already as finite numbers; true and false are 1 and 0.

    Raises:
        NotANumberError: For the first cell that is not a finite number.
    """
    numbers = []
    for index, cell in enumerate(cells):
        if not isinstance(cell, (int, float, Decimal)) or not _is_finite(cell):
            raise NotANumberError(index, "" if cell is None else str(cell))
        numbers.append(float(cell))
    return numbers


def check_float32(numbers: Sequence[float]) -> None:
    """Check that no number becomes infinite in 32-bit floating point.

    Raises:
        TooLargeError: For the first number that does.
    """
    if numbers and (max(numbers) > MAX_FLOAT32 or min(numbers) < -MAX_FLOAT32):
        raise next(TooLargeError(index, number) for index, number in enumerate(numbers) if abs(number) > MAX_FLOAT32)


def shown(text: str) -> str:
    """``text`` in quotes, shortened if it is long."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def is_number(cell: str) -> bool:
    """Whether a text is a number, finite or not."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _parsed(index: int, cell: str) -> float:
    if is_number(cell) and math.isfinite(number := float(cell)):
        return number
    if (text := cell.strip().lower()) in _BOOLEANS:
        return _BOOLEANS[text]
    raise NotANumberError(index, cell)


def _is_finite(number: float | Decimal) -> bool:
    try:
        return math.isfinite(number)
    except (OverflowError, ValueError):
        # An integer beyond 64-bit floating point, or a signalling NaN.
        return False
