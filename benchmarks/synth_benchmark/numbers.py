"""Medians and ratios over rounds, and targets that are met or missed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Target:
    """One sentence of the issue of speed, and what was measured.

    Attributes:
        what: What is compared.
        measured: In words.
        asked: In words.
        met: Whether it is; None where it could not be measured.
    """

    what: str
    measured: str
    asked: str
    met: bool | None


def median(values: Sequence[float]) -> float:
    """Give the median, to four digits after the point."""
    return round(statistics.median(values), 4)


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """Give the ratio of each round: both sides of one round met the same minute of the machine."""
    return [round(this / that, 4) for this, that in zip(these, those, strict=True)]


def at_least(what: str, ratio: float | None, asked: float) -> Target:
    """A ratio that must not be lower."""
    return _target(what, ratio, f"at least {asked:g}x", None if ratio is None else ratio >= asked)


def at_most(what: str, ratio: float | None, asked: float) -> Target:
    """A ratio that must not be higher."""
    return _target(what, ratio, f"at most {asked:g}x", None if ratio is None else ratio <= asked)


def _target(what: str, ratio: float | None, asked: str, met: bool | None) -> Target:
    return Target(what, "not measured" if ratio is None else f"{ratio:.2f}x", asked, met)
