"""Medians and ratios over rounds, and targets that are met or missed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Target:
    """A required value, and the measured one.

    Attributes:
        what: What is compared.
        measured: The measured value, as text.
        required: The required value, as text.
        met: Whether the target is met; None if it could not be measured.
    """

    what: str
    measured: str
    required: str
    met: bool | None


def median(values: Sequence[float]) -> float:
    """Return the median, rounded to four decimal places."""
    return round(statistics.median(values), 4)


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """Return the ratio of each round: both sides of a round ran in the same minute."""
    return [round(this / that, 4) for this, that in zip(these, those, strict=True)]


def at_least(what: str, ratio: float | None, required: float) -> Target:
    """A ratio that must not be lower."""
    return _target(what, ratio, f"at least {required:g}x", None if ratio is None else ratio >= required)


def at_most(what: str, ratio: float | None, required: float) -> Target:
    """A ratio that must not be higher."""
    return _target(what, ratio, f"at most {required:g}x", None if ratio is None else ratio <= required)


def _target(what: str, ratio: float | None, required: str, met: bool | None) -> Target:
    return Target(what, "not measured" if ratio is None else f"{ratio:.2f}x", required, met)
