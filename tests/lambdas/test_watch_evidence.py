"""The evidence is exact: its expectations are enumerated, not simulated."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from watch_traffic.baseline import Feature, baseline
from watch_traffic.bets import bets, cells
from watch_traffic.capital import BLOCK, Capital, log_start, log_waiting
from watch_traffic.evidence import Evidence, Game
from watch_traffic.ties import ties

if TYPE_CHECKING:
    from collections.abc import Sequence

NOISE = random.Random(3)
LIMIT = math.log(20.0)


@pytest.fixture(autouse=True)
def same_noise() -> None:
    """Give each test the same random numbers, whichever tests run before it."""
    NOISE.seed(13)


def feature(values: Sequence[object]) -> Feature:
    return baseline(["x"], [[value] for value in values]).features[0]


def normal(mean: float, count: int) -> list[float]:
    return [NOISE.gauss(mean, 1.0) for _ in range(count)]


FEATURES = {
    "numbers": feature(normal(0.0, 2_000)),
    "few numbers": feature(normal(0.0, 40)),
    "two numbers": feature([0, 1] * 100),
    "constant": feature([1] * 100),
    "texts": feature([*"aaabbc"] * 50),
    "missing": feature([""] * 100),
    "often missing": feature(["", "", 1.0, 2.0, 3.0] * 50),
}


@pytest.mark.parametrize("name", FEATURES)
def test_every_bet_is_fair_and_the_weights_add_up_to_1(name: str) -> None:
    fair = cells(FEATURES[name]).shares
    found = bets(FEATURES[name])
    assert math.fsum(fair) == pytest.approx(1.0, abs=1e-12)
    assert min(fair) > 0.0
    assert math.fsum(math.exp(bet.log_weight) for bet in found) == pytest.approx(1.0, abs=1e-12)
    for bet in found:
        mean = math.fsum(share * math.exp(log) for share, log in zip(fair, bet.log_factors, strict=True))
        assert mean == pytest.approx(1.0, abs=1e-12)


def test_what_begins_and_what_waits_add_up_to_the_stake() -> None:
    begun = 0.0
    for block in range(1_000):
        assert begun + math.exp(log_waiting(block)) == pytest.approx(1.0, abs=1e-9)
        begun += math.exp(log_start(block))


@pytest.mark.parametrize("bag", [(0, 0, 1, 2), (0, 1, 1, 1), (0, 1, 2, 3), (1, 1, 1, 1)])
def test_whatever_the_records_are_their_numbers_are_uniform_and_independent(bag: tuple[int, ...]) -> None:
    """All orders of four records, of which two are the reference, with a grid of random numbers for the other two."""
    edges, grid = (0.21, 0.55), 40
    game, found = Game(edges, ()), Counter[tuple[int, int]]()
    for order in permutations(bag):
        for first in range(grid):
            for second in range(grid):
                found[_cells(game, order, [(first + 0.5) / grid, (second + 0.5) / grid])] += 1
    whole, shares = sum(found.values()), (0.21, 0.34, 0.45)
    for (first, second), count in found.items():
        assert count / whole == pytest.approx(shares[first] * shares[second], abs=0.012)


def _cells(game: Game, order: tuple[int, ...], numbers: list[float]) -> tuple[int, int]:
    pool = [0] * 4
    for place in order[:2]:
        pool[place] += 1
    one = Evidence(LIMIT, pool, [0, 0, 0], Capital.of(0))
    one.add(game, order[2:3], numbers[:1], 0.0)
    first = one.block.index(1)
    one.block = [0, 0, 0]
    one.add(game, order[3:], numbers[1:], 0.0)
    return first, one.block.index(1)


def watched(of: Feature, values: Sequence[object], part: int = 1_000) -> Evidence:
    evidence, game = Evidence.of(of, LIMIT), Game.of(of)
    for start in range(0, len(values), part):
        places = of.bins.place(values[start : start + part]).places
        evidence.add(game, places, ties("salt", start, len(places)), start // 1_000 * 1_000.0)
    return evidence


def test_the_evidence_is_the_product_of_the_bets_over_all_beginnings() -> None:
    of = FEATURES["texts"]
    game, evidence, blocks = Game.of(of), Evidence.of(of, LIMIT), []
    values = ["a", "b", "c", "d", "b"] * 30
    for start in range(0, 150, 1):
        before = evidence.block.copy()
        evidence.add(game, of.bins.place(values[start : start + 1]).places, ties("", start, 1), 0.0)
        if (start + 1) % BLOCK:
            continue
        # The number of the last record of a block is found again from the pool.
        pool = evidence.pool.copy()
        place = of.bins.place(values[start : start + 1]).places[0]
        u = (sum(pool[:place]) + ties("", start, 1)[0] * pool[place]) / sum(pool)
        before[sum(edge <= u for edge in game.edges)] += 1
        blocks.append(before)
    expected = math.exp(log_waiting(3))
    for bet in game.bets:
        for begin in range(3):
            log = bet.log_weight + log_start(begin)
            for block in blocks[begin:]:
                log += sum(count * factor for count, factor in zip(block, bet.log_factors, strict=True))
            expected += math.exp(log)
    assert evidence.log_value(game.bets) == pytest.approx(math.log(expected), abs=1e-9)


def test_it_does_not_matter_how_records_are_cut_into_parts() -> None:
    values = normal(0.0, 1_500) + normal(0.4, 1_500)
    found = [watched(FEATURES["numbers"], values, part) for part in (1, 7, 250, 1_000)]
    assert found[0].shown is not None
    assert all(one == found[0] for one in found[1:])


@pytest.mark.parametrize(
    ("name", "changed", "records"),
    [
        ("numbers", normal(0.5, 1_000), 300),
        ("numbers", [2.0 * value for value in normal(0.0, 1_000)], 300),
        ("numbers", [""] + ["0.3"] * 999, 150),
        ("two numbers", [1, 1, 1, 0] * 250, 500),
        ("constant", [1, 1, 1, ""] * 250, 200),
        ("texts", [*"aaabbcd"] * 150, 300),
        ("missing", ["x", ""] * 500, 200),
        ("often missing", ["", 1.0, 2.0, 3.0] * 250, 600),
    ],
)
def test_a_change_is_found_and_dated(name: str, changed: list[object], records: int) -> None:
    quiet: dict[str, list[object]] = {
        "numbers": [*normal(0.0, 3_000)],
        "two numbers": [0, 1] * 1_500,
        "constant": [1] * 3_000,
    }
    quiet |= {"texts": [*"aaabbc"] * 500, "missing": [""] * 3_000, "often missing": ["", "", 1.0, 2.0, 3.0] * 600}
    shown = watched(FEATURES[name], [*quiet[name], *changed], 100).shown
    assert shown is not None
    assert 3_000 < shown.records <= 3_000 + records
    assert (shown.window, shown.since) == (3_000.0, 3_000.0)


def test_enormous_evidence_does_not_overflow() -> None:
    found = watched(feature(normal(0.0, 20_000)), normal(8.0, 20_000))
    assert found.log_value(Game.of(FEATURES["numbers"]).bets) > 5_000.0


def test_it_can_be_written_and_read_at_any_time() -> None:
    of = FEATURES["numbers"]
    game, values = Game.of(of), normal(0.3, 400)
    places, numbers = of.bins.place(values).places, ties("", 0, 400)
    whole, parts = Evidence.of(of, LIMIT), Evidence.of(of, LIMIT)
    whole.add(game, places, numbers, 0.0)
    for start in range(0, 400, 33):
        parts = Evidence.from_json(json.loads(json.dumps(parts.to_json())), of)
        parts.add(game, places[start : start + 33], numbers[start : start + 33], 0.0)
    assert parts == whole


def test_the_evidence_of_another_feature_is_refused() -> None:
    written = Evidence.of(FEATURES["texts"], LIMIT).to_json()
    with pytest.raises(ValueError, match="evidence of another baseline"):
        Evidence.from_json(written, FEATURES["numbers"])


def test_random_numbers_are_uniform_and_those_of_their_record() -> None:
    numbers = ties("salt", 0, 40_000)
    assert ties("salt", 12_345, 100) == numbers[12_345:12_445]
    assert ties("other", 0, 10) != numbers[:10]
    assert ties("salt", 5, 0) == []
    tenths = Counter(int(10.0 * value) for value in numbers)
    assert sorted(tenths) == list(range(10))
    assert all(abs(count - 4_000) < 300 for count in tenths.values())
