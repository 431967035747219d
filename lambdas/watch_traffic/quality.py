"""Whether the predictions are right often enough, from outcomes, looked at any time.

**A fall.** Let p be the least rate of right predictions that is tolerated. A bet on a rate q < p multiplies its capital
by ``q / p`` for a right prediction and by ``(1 - q) / (1 - p)`` for a wrong one. Wherever the true rate of the next
prediction is r >= p, the mean is ``1 - (r - p) (p - q) / (p (1 - p)) <= 1``. So if the rate never is below p, the
probability that a fall is ever shown is at most ``level`` (see ``capital``). Nothing else is assumed: rates may change
with the hour and the user, and outcomes may depend on each other.

**An interval** for the mean of the rates so far, each given what came before it. It contains this mean at all looks
together with a probability of at least 1 - level. For a log odds ratio x, the mean of
``exp(x y) / (1 + r (exp(x) - 1))`` over an outcome y, 0 or 1, with rate r is 1. The logarithm of the denominator is
concave in r, so with s right of n predictions and the mean m of their rates,
``exp(x s) / (1 + m (exp(x) - 1))**n`` is at most the product of these, a martingale that begins at 1. The interval has
all m for which the mean over a grid of x is below 1 / level; it is convex in m, hence an interval. (Howard, Ramdas,
McAuliffe, Sekhon, "Time-uniform Chernoff bounds via nonnegative supermartingales", arXiv 1808.03204.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from watch_traffic.capital import BLOCK, Bet, Capital, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# By so much the log odds fall.
FALLS = (0.1, 0.2, 0.4, 0.8, 1.6)
_RATIOS: tuple[float, ...] = tuple(sign * 0.02 * 150.0 ** (place / 19.0) for place in range(20) for sign in (1.0, -1.0))
_STEPS = 60


class Interval(NamedTuple):
    """Both ends of an interval."""

    low: float
    high: float


@dataclass
class Quality:
    """
    Attributes:
        least: The least rate of right predictions that is tolerated.
        level: Of the fall, and of the interval.
        capital: Of the bets on a fall, after all complete blocks.
        block: Wrong and right predictions of the unfinished block.
        right: Right predictions.
        records: All predictions with an outcome.
        began: Begin of the window in which the unfinished block began.
        shown: When the fall was first shown; None until then.
    """

    least: float
    level: float
    capital: Capital
    block: list[int]
    right: int = 0
    records: int = 0
    began: float = 0.0
    shown: Shown | None = None

    @classmethod
    def of(cls, least: float, level: float) -> Quality:
        """Return the quality before the first outcome. Raises ValueError for limits that are no probabilities."""
        for name, value in (("least", least), ("level", level)):
            if not 0.0 < value < 1.0:
                raise ValueError(f"{name}: must be above 0 and below 1, got {value}")
        return cls(least, level, Capital.of(len(FALLS)), [0, 0])

    def add(self, outcomes: Sequence[bool], window: float) -> None:
        """Take outcomes in the order of their requests: whether each prediction was right.

        Args:
            outcomes: The outcomes.
            window: Begin of the window of their requests.
        """
        bets = falls(self.least)
        for is_right in outcomes:
            if self.records % BLOCK == 0:
                self.began = window
            self.block[is_right] += 1
            self.right += is_right
            self.records += 1
            if self.records % BLOCK == 0:
                self.capital.settle(bets, self.block, self.records // BLOCK - 1, self.began)
                self.block = [0, 0]
                if self.shown is None and self.log_evidence() >= -math.log(self.level):
                    self.shown = Shown(self.records, window, self.capital.since(bets))

    def log_evidence(self) -> float:
        """Return the logarithm of the evidence of a fall."""
        return self.capital.log_value(falls(self.least), self.records // BLOCK)

    def interval(self) -> Interval:
        """Return the interval for the mean of the rates so far."""
        limit, rate = -math.log(self.level), self.right / self.records if self.records else 0.5
        ends = []
        for end in (0.0, 1.0):
            inside, outside = rate, end
            for _ in range(_STEPS):
                middle = (inside + outside) / 2.0
                if _log_mean(middle, self.right, self.records) < limit:
                    inside = middle
                else:
                    outside = middle
            ends.append(outside)
        return Interval(*ends)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "least": self.least,
            "level": self.level,
            "capital": self.capital.to_json(self.records // BLOCK),
            "block": self.block,
            "right": self.right,
            "records": self.records,
            "began": self.began,
            "shown": None if self.shown is None else [self.shown.records, self.shown.window, self.shown.since],
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Quality:
        """Read what ``to_json`` has written."""
        return cls(
            written["least"],
            written["level"],
            Capital.from_json(written["capital"], len(FALLS)),
            list(written["block"]),
            written["right"],
            written["records"],
            written["began"],
            None if written["shown"] is None else Shown(*written["shown"]),
        )


def falls(least: float) -> list[Bet]:
    """Return the bets on a rate below the least one, by the logarithms of their factors for wrong and right."""
    found = []
    for fall in FALLS:
        whole = 1.0 - least + least * math.exp(-fall)
        found.append(Bet(-math.log(len(FALLS)), (-math.log(whole), -fall - math.log(whole))))
    return found


def _log_mean(mean: float, right: int, records: int) -> float:
    logs = [ratio * right - records * math.log1p(mean * math.expm1(ratio)) for ratio in _RATIOS]
    largest = max(logs)
    return largest + math.log(math.fsum(math.exp(log - largest) for log in logs) / len(logs))
