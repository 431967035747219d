"""Numbers and times in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"))
_MAX_DIGITS = 4


def plural(count: int, noun: str) -> str:
    """Return a number with its noun, such as "1 outcome" or "5,120 outcomes"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def ago(seconds: float) -> str:
    """Return a time, such as "2 days"."""
    for size, noun in _UNITS:
        if seconds >= 2 * size or (size == _UNITS[-1][0] and seconds >= size):
            return plural(int(seconds // size), noun)
    return plural(int(seconds), "second")


def amount(values: Sequence[float], *, percent: bool, unit: bool = True) -> list[str]:
    """Return numbers with as many digits as they need to differ, but one at least.

    Args:
        values: The numbers.
        percent: Whether they are shares.
        unit: Whether a percent sign follows.
    """
    scaled = [value * 100.0 for value in values] if percent else list(values)
    digits = 1
    while digits < _MAX_DIGITS and len({round(value, digits) for value in scaled}) < len(set(scaled)):
        digits += 1
    return [f"{value:,.{digits}f}{' %' if percent and unit else ''}".replace("-", "−") for value in scaled]
