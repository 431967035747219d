"""Whether a feature of the traffic differs from the training data: evidence that may be looked at any time.

**A random number for each record.** Let ``s_1 ... s_N`` be the bins of all records so far, those of the reference and
of the traffic, the newest one included. With ``t`` uniform between 0 and 1, the newest record has

    u = (number of s_i < s_N + t * number of s_i = s_N) / N.

**If nothing has changed, all u are independent and uniform.** "Nothing has changed" is: reference and traffic are
exchangeable, as independent records of one distribution are; which distribution does not matter, and none is
estimated. Proof, from the end of the stream backwards: given how many records are in each bin, and given everything
that comes later, each of the N records is equally likely to be the newest one, so u is uniform. What is left when the
newest record is taken away is again exchangeable, so the same holds for the one before it, and u of the newest
record is independent of all earlier ones. Bins depend on other rows than the reference, so they are fixed. (Vovk,
Gammerman, Shafer, "Algorithmic learning in a random world", 2005, theorem 8.2; Vovk, "Testing randomness online",
Statistical Science 36, 2021, arXiv 1906.09256.) The size of the reference does not matter for this: a small one makes
drift harder to find, not false alarms more frequent.

**Bets.** The unit interval has cells with shares p. A bet on shares q multiplies its capital by ``q / p`` of the cell
in which u falls: on average, by the sum of p q / p = 1. Bets begin at the first block of records and at each later
one, for changes may come late. ``start(b)`` of the capital waits for block b; these shares add up to 1. The capital of
a bet over all beginnings needs one number, ``R <- (R + start(b)) * product of q / p over block b``, and the evidence is

    E = sum over bets of weight * R + what still waits.

**Level.** E begins at 1, is never negative, and its mean stays the same with each record, whatever came before: a
martingale. By Ville's inequality the probability that E *ever* reaches 1 / level is at most ``level``. This is the
probability of a false alarm over the whole stream, however long it is: not one per day, not one per look, and not an
average time between false alarms. A late change needs more evidence, as little waits for it: about 2 log b more. (For
changes with conformal martingales: Vovk, Petej, Nouretdinov, Ahlberg, Carlsson, Gammerman, "Retrain or not retrain",
COPA 2021, arXiv 2102.10439. The sum over beginnings is that of Shiryaev and Roberts, there with equal weights and
without a bound for the whole stream; Shin, Ramdas, Rinaldo, "E-detectors", arXiv 2203.03532.)

Blocks have a fixed number of records, so E is the same however the records are cut into windows.

After a change, records of the traffic join the reference. Evidence comes while they are few beside what was before,
so what was once shown stays shown.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Any

from watch_traffic.bets import bets, cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watch_traffic.baseline import Feature
    from watch_traffic.bets import Bet

BLOCK = 50
_NEVER = -math.inf


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
class Evidence:
    """The evidence of one feature.

    Attributes:
        limit: The logarithm of the evidence that is enough.
        pool: How many records are in each bin, of the reference and of the traffic.
        records: Records of the traffic.
        block: How many records of the unfinished block are in each cell.
        began: Begin of the window in which the unfinished block began.
        capital: Of each bet, the logarithm of R.
        best: Of each bet, the logarithm of its largest part: that of one beginning.
        starts: Of each bet, the begin of the window of this beginning.
        shown: When it first reached the limit; None until then.
    """

    limit: float
    pool: list[int]
    records: int
    block: list[int]
    began: float
    capital: list[float]
    best: list[float]
    starts: list[float]
    shown: Shown | None = None

    @classmethod
    def of(cls, feature: Feature, limit: float) -> Evidence:
        """Return the evidence before the first record."""
        count, size = len(bets(feature)), len(cells(feature).shares)
        return cls(
            limit, list(feature.reference), 0, [0] * size, 0.0, [_NEVER] * count, [_NEVER] * count, [0.0] * count
        )

    def add(self, game: Game, places: Sequence[int], ties: Sequence[float], window: float) -> None:
        """Take records in the order of time.

        Args:
            game: The cells and the bets of the feature.
            places: The bin of each record.
            ties: The random number of each record.
            window: Begin of their window.
        """
        pool, edges = self.pool, game.edges
        total = sum(pool)
        left = BLOCK - self.records % BLOCK
        for place, tie in zip(places, ties, strict=True):
            if left == BLOCK:
                self.began = window
            u = (sum(pool[:place]) + tie * (pool[place] + 1)) / (total + 1)
            pool[place] += 1
            total += 1
            self.block[bisect_right(edges, u)] += 1
            self.records += 1
            left -= 1
            if not left:
                self._close(game.bets, window)
                left = BLOCK

    def _close(self, all_bets: Sequence[Bet], window: float) -> None:
        """Settle the bets on a complete block."""
        log_start = _log_start(self.records // BLOCK - 1)
        for place, (_, factors) in enumerate(all_bets):
            gain = sum(map(mul, self.block, factors))
            capital = self.capital[place]
            low, high = (capital, log_start) if capital < log_start else (log_start, capital)
            self.capital[place] = high + math.log1p(math.exp(low - high)) + gain
            if self.best[place] <= log_start:
                self.best[place], self.starts[place] = log_start, self.began
            self.best[place] += gain
        self.block = [0] * len(self.block)
        if self.shown is None and self.log_value(all_bets) >= self.limit:
            self.shown = Shown(self.records, window, self._since(all_bets))

    def log_value(self, all_bets: Sequence[Bet]) -> float:
        """Return the logarithm of the evidence, of all complete blocks."""
        logs = [bet.log_weight + capital for bet, capital in zip(all_bets, self.capital, strict=True)]
        logs.append(_log_waiting(self.records // BLOCK))
        largest = max(logs)
        return largest + math.log(math.fsum(math.exp(log - largest) for log in logs))

    def _since(self, all_bets: Sequence[Bet]) -> float:
        values = [bet.log_weight + best for bet, best in zip(all_bets, self.best, strict=True)]
        return self.starts[values.index(max(values))]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        shown = None if self.shown is None else [self.shown.records, self.shown.window, self.shown.since]
        played = bool(self.records // BLOCK)
        return {
            "limit": self.limit,
            "pool": self.pool,
            "records": self.records,
            "block": self.block,
            "began": self.began,
            "bets": [self.capital, self.best, self.starts] if played else [],
            "shown": shown,
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any], feature: Feature) -> Evidence:
        """Read what ``to_json`` has written. Raises ValueError if it is that of another feature."""
        found = cls.of(feature, written["limit"])
        parts = written["bets"] or [found.capital, found.best, found.starts]
        expected = [len(found.pool), len(found.block), *[len(found.capital)] * 3]
        if [len(written["pool"]), len(written["block"]), *map(len, parts)] != expected:
            raise ValueError(f"{feature.name}: this is the evidence of another baseline")
        shown = None if written["shown"] is None else Shown(*written["shown"])
        capital, best, starts = (list(part) for part in parts)
        pool, block = list(written["pool"]), list(written["block"])
        return cls(found.limit, pool, written["records"], block, written["began"], capital, best, starts, shown)


@dataclass(frozen=True)
class Game:
    """What does not change over a stream: the upper ends of the cells but the last one, and the bets."""

    edges: tuple[float, ...]
    bets: tuple[Bet, ...]

    @classmethod
    def of(cls, feature: Feature) -> Game:
        """Return the game of a feature."""
        return cls(tuple(accumulate(cells(feature).shares))[:-1], tuple(bets(feature)))


def _log_start(block: int) -> float:
    """Return the logarithm of the capital that begins with a block: half of it with the first one."""
    if not block:
        return math.log(0.5)
    return math.log(0.5 / math.log2(block + 1) - 0.5 / math.log2(block + 2))


def _log_waiting(blocks: int) -> float:
    """Return the logarithm of the capital that has not begun after so many blocks."""
    return math.log(0.5 / math.log2(blocks + 1)) if blocks else 0.0
