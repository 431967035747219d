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
Gammerman, Shafer, "Algorithmic learning in a random world", 2005; Vovk, "Testing randomness online",
Statistical Science 36, 2021, arXiv 1906.09256.) The size of the reference does not matter for this: a small one makes
drift harder to find, not false alarms more frequent.

**Bets.** The unit interval has cells with shares p. A bet on shares q multiplies its capital by ``q / p`` of the cell
in which u falls: on average, by the sum of p q / p = 1, whatever came before. So the probability that the capital of
all bets *ever* reaches 1 / level is at most ``level`` (see ``capital``, which also says how late changes are found).
Conformal martingales for changes: Vovk, Petej, Nouretdinov, Ahlberg, Carlsson, Gammerman, "Retrain or not retrain",
COPA 2021, arXiv 2102.10439.

After a change, records of the traffic join the reference. Evidence comes while they are few beside what was before,
so what was once shown stays shown.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from watch_traffic.bets import bets, cells
from watch_traffic.capital import BLOCK, Capital, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watch_traffic.baseline import Feature
    from watch_traffic.capital import Bet


@dataclass
class Evidence:
    """The evidence of one feature.

    Attributes:
        limit: The logarithm of the evidence that is enough.
        pool: How many records are in each bin, of the reference and of the traffic.
        block: How many records of the unfinished block are in each cell.
        capital: Of the bets, after all complete blocks.
        records: Records of the traffic.
        began: Begin of the window in which the unfinished block began.
        shown: When it first reached the limit; None until then.
    """

    limit: float
    pool: list[int]
    block: list[int]
    capital: Capital
    records: int = 0
    began: float = 0.0
    shown: Shown | None = None

    @classmethod
    def of(cls, feature: Feature, limit: float) -> Evidence:
        """Return the evidence before the first record."""
        block = [0] * len(cells(feature).shares)
        return cls(limit, list(feature.reference), block, Capital.of(len(bets(feature))))

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
        self.capital.settle(all_bets, self.block, self.records // BLOCK - 1, self.began)
        self.block = [0] * len(self.block)
        if self.shown is None and self.log_value(all_bets) >= self.limit:
            self.shown = Shown(self.records, window, self.capital.since(all_bets))

    def log_value(self, all_bets: Sequence[Bet]) -> float:
        """Return the logarithm of the evidence, of all complete blocks."""
        return self.capital.log_value(all_bets, self.records // BLOCK)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "limit": self.limit,
            "pool": self.pool,
            "block": self.block,
            "capital": self.capital.to_json(self.records // BLOCK),
            "records": self.records,
            "began": self.began,
            "shown": None if self.shown is None else [self.shown.records, self.shown.window, self.shown.since],
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any], feature: Feature) -> Evidence:
        """Read what ``to_json`` has written. Raises ValueError if it is that of another feature."""
        found = cls.of(feature, written["limit"])
        if (len(written["pool"]), len(written["block"])) != (len(found.pool), len(found.block)):
            raise ValueError(f"{feature.name}: this is the evidence of another baseline")
        return cls(
            found.limit,
            list(written["pool"]),
            list(written["block"]),
            Capital.from_json(written["capital"], len(found.capital.logs)),
            written["records"],
            written["began"],
            None if written["shown"] is None else Shown(*written["shown"]),
        )


@dataclass(frozen=True)
class Game:
    """What does not change over a stream: the upper ends of the cells but the last one, and the bets."""

    edges: tuple[float, ...]
    bets: tuple[Bet, ...]

    @classmethod
    def of(cls, feature: Feature) -> Game:
        """Return the game of a feature."""
        return cls(tuple(accumulate(cells(feature).shares))[:-1], tuple(bets(feature)))
