"""What a value of a record is: a number, a text, or missing."""

from __future__ import annotations

# Texts that mean a missing number, as the check of a data set has them; in a text column, "NA" may be a value.
MISSING = frozenset({"", "nan", "na", "n/a", "null", "none"})
_INFINITY = float("inf")


def number(value: object) -> float | None:
    """Return the finite number in a value; None if there is none."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -_INFINITY < found < _INFINITY else None


def text(value: object) -> str:
    """Return a value as text; a missing one is empty."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_missing_number(value: object) -> bool:
    """Whether a value that is no number stands for a missing one."""
    return text(value).lower() in MISSING
