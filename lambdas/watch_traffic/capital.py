"""The capital of bets that begin with the first block of records, and again with each later one: changes may come late.

A bet multiplies its capital by a factor for each record, whose mean is at most 1 while nothing has changed. Of the
stake, ``start(b)`` waits for block b; these shares add up to 1. The capital of a bet over all beginnings needs one
number, ``R <- (R + start(b)) * product of the factors over block b``, and the whole is

    E = sum over bets of weight * R + what still waits.

**Level.** E begins at 1, is never negative, and its mean does not grow with any record, whatever came before: a
supermartingale. By Ville's inequality the probability that E *ever* reaches 1 / level is at most ``level``. This is the
probability of a false alarm over the whole stream, however long it is: not one per day, not one per look, and not an
average time between false alarms. A late change needs more evidence, as little waits for it: about log b + 2 log log b
more. (The sum over beginnings is that of Shiryaev and Roberts, there with equal weights and without a bound for the
whole stream; Shin, Ramdas, Rinaldo, "E-detectors", arXiv 2203.03532.)

Blocks have a fixed number of records, so E is the same however the records are cut into windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCK = 50
_NEVER = -math.inf


class Bet(NamedTuple):
    """A bet: the logarithm of its weight, and of what a record in each cell multiplies its capital by."""

    log_weight: float
    log_factors: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """When the evidence first reached the limit.

    Attributes:
        records: Records of the traffic until then.
        window: Begin of the window in which it was.
        since: Begin of the window since which the records most likely differ.
    """

    records: int
    window: float
    since: float


@dataclass
class Capital:
    """
    Attributes:
        logs: Of each bet, the logarithm of R.
        best: Of each bet, the logarithm of its largest part: that of one beginning.
        starts: Of each bet, the begin of the window of this beginning.
    """

    logs: list[float]
    best: list[float]
    starts: list[float]

    @classmethod
    def of(cls, bets: int) -> Capital:
        """Return the capital of so many bets before the first block."""
        return cls([_NEVER] * bets, [_NEVER] * bets, [0.0] * bets)

    def settle(self, bets: Sequence[Bet], counts: Sequence[int], block: int, began: float) -> None:
        """Settle the bets on a complete block.

        Args:
            bets: The bets.
            counts: How many records of the block are in each cell.
            block: Its number, from 0.
            began: Begin of the window in which it began.
        """
        start = log_start(block)
        for place, (_, factors) in enumerate(bets):
            gain = sum(map(mul, counts, factors))
            log = self.logs[place]
            low, high = (log, start) if log < start else (start, log)
            self.logs[place] = high + math.log1p(math.exp(low - high)) + gain
            if self.best[place] <= start:
                self.best[place], self.starts[place] = start, began
            self.best[place] += gain

    def log_value(self, bets: Sequence[Bet], blocks: int) -> float:
        """Return the logarithm of E after so many blocks."""
        logs = [bet.log_weight + log for bet, log in zip(bets, self.logs, strict=True)]
        logs.append(log_waiting(blocks))
        largest = max(logs)
        return largest + math.log(math.fsum(math.exp(log - largest) for log in logs))

    def since(self, bets: Sequence[Bet]) -> float:
        """Return the begin of the window of the beginning that explains the records best."""
        values = [bet.log_weight + best for bet, best in zip(bets, self.best, strict=True)]
        return self.starts[values.index(max(values))]

    def to_json(self, blocks: int) -> list[list[float]]:
        """Return everything as JSON; nothing before the first block is complete."""
        return [self.logs, self.best, self.starts] if blocks else []

    @classmethod
    def from_json(cls, written: Sequence[Sequence[float]], bets: int) -> Capital:
        """Read what ``to_json`` has written. Raises ValueError if there are not as many bets."""
        if not written:
            return cls.of(bets)
        if [len(part) for part in written] != [bets] * 3:
            raise ValueError(f"bets: must be three times {bets}")
        return cls(*(list(part) for part in written))


def log_start(block: int) -> float:
    """Return the logarithm of the capital that begins with a block: half of it with the first one."""
    if not block:
        return math.log(0.5)
    return math.log(0.5 / math.log2(block + 1) - 0.5 / math.log2(block + 2))


def log_waiting(blocks: int) -> float:
    """Return the logarithm of the capital that has not begun after so many blocks."""
    return math.log(0.5 / math.log2(blocks + 1)) if blocks else 0.0
