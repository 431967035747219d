"""What is bet on: shapes of drift, as shares of the cells in which uniform numbers fall while nothing has changed.

Each bet is fixed by the shape of the training data, before any record of the traffic. A bet on cell shares ``q``
against the fair shares ``p`` multiplies its capital by ``q / p`` of the cell in which a record falls.

- Numbers: all move up or down (the likelihood ratio of normal numbers whose mean moves by a part of their standard
  deviation), and all spread or come together (that of another standard deviation).
- A cell takes records of all others: values stuck at one number, a new category, missing values.
- A cell of texts loses half of its records, and so does that of missing values.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from watch_traffic.bins import NUMBER
from watch_traffic.capital import Bet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watch_traffic.baseline import Feature

MOVES = (0.1, 0.2, 0.4, 0.8, 1.6)
SPREADS = (0.5, 0.7, 0.85, 1.2, 1.5, 2.5)
# A new category or missing values begin with little; a bin that is never empty takes more.
TAKEN, TAKEN_BY_RARE = (0.1, 0.4), (0.02, 0.1, 0.4)
LOST = 0.5
# "Other" and "missing", the last two bins and cells, and how much of the unit interval below them is theirs, too.
UNUSUAL, MARGIN = 2, 0.02


class Cells(NamedTuple):
    """The fair shares of the cells, which add up to 1 and are never 0; and the first cell with room for the unusual."""

    shares: list[float]
    room: int


def cells(feature: Feature) -> Cells:
    """Return the cells of a feature: about its bins.

    One more border is below the bins for what is unusual, so that there is room for it when the first unusual records
    have joined the reference.
    """
    whole = sum(feature.shape) + 0.5 * len(feature.shape)
    shares = [(count + 0.5) / whole for count in feature.shape]
    unusual = math.fsum(shares[-UNUSUAL:])
    border = (1.0 - unusual) * (1.0 - MARGIN)
    found, below, room = [], 0.0, 0
    for share in shares:
        if below < border < below + share:
            found += [border - below, below + share - border]
            room = len(found) - 1
        else:
            found.append(share)
        below += share
    return Cells(found, room)


def bets(feature: Feature) -> list[Bet]:
    """Return the bets of a feature; their weights add up to 1."""
    fair, room = cells(feature)
    if feature.bins.kind == NUMBER:
        scores = _scores(fair[:-UNUSUAL])
        groups = [_single(fair, TAKEN), _unusual(fair, room), _moved(fair, scores), _spread(fair, scores)]
    else:
        groups = [_single(fair, TAKEN_BY_RARE), _unusual(fair, room), _lost(fair)]
    lists = [list(group) for group in groups]
    return [
        Bet(-math.log(len(lists) * len(group)), tuple(_log_factors(fair, wanted)))
        for group in lists
        for wanted in group
    ]


def _single(fair: Sequence[float], sizes: Sequence[float]) -> Iterator[list[float]]:
    for place in range(len(fair) - UNUSUAL):
        for taken in sizes:
            yield _taking(fair, range(place, place + 1), taken)


def _unusual(fair: Sequence[float], room: int) -> Iterator[list[float]]:
    size = len(fair)
    for cells_ in (range(size - 1, size), range(size - 2, size - 1), range(size - 2, size), range(room, size)):
        for taken in TAKEN_BY_RARE:
            yield _taking(fair, cells_, taken)
    yield _losing(fair, size - 1)


def _lost(fair: Sequence[float]) -> Iterator[list[float]]:
    for place in range(len(fair) - UNUSUAL):
        yield _losing(fair, place)


def _losing(fair: Sequence[float], place: int) -> list[float]:
    return [share * (LOST if place == cell else 1.0) for cell, share in enumerate(fair)]


def _taking(fair: Sequence[float], cells_: range, taken: float) -> list[float]:
    """Return shares of which these cells take a part from all."""
    whole = math.fsum(fair[cells_.start : cells_.stop])
    return [
        (1.0 - taken) * share + (taken * share / whole if cell in cells_ else 0.0) for cell, share in enumerate(fair)
    ]


def _moved(fair: Sequence[float], scores: Sequence[float]) -> Iterator[list[float]]:
    for size in MOVES:
        for sign in (1.0, -1.0):
            yield _tilted(fair, [sign * size * score for score in scores])


def _spread(fair: Sequence[float], scores: Sequence[float]) -> Iterator[list[float]]:
    for ratio in SPREADS:
        yield _tilted(fair, [0.5 * score * score * (1.0 - 1.0 / (ratio * ratio)) for score in scores])


def _tilted(fair: Sequence[float], logs: Sequence[float]) -> list[float]:
    """Return shares that move by these logarithms among the bins of numbers; the other bins keep theirs."""
    known = len(logs)
    moved = [share * math.exp(log) for share, log in zip(fair, logs, strict=False)]
    scale = math.fsum(fair[:known]) / math.fsum(moved)
    return [*(share * scale for share in moved), *fair[known:]]


def _scores(shares: Sequence[float]) -> list[float]:
    """Return the normal quantile in the middle of each bin."""
    whole, below, found = math.fsum(shares), 0.0, []
    for share in shares:
        found.append(NormalDist().inv_cdf((below + 0.5 * share) / whole))
        below += share
    return found


def _log_factors(fair: Sequence[float], wanted: Sequence[float]) -> Iterator[float]:
    whole = math.fsum(wanted)
    for share, other in zip(fair, wanted, strict=True):
        yield math.log(other / whole / share)
