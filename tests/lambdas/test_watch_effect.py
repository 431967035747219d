"""Effect sizes: known values, and none where nothing has changed."""

from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING

import pytest
from watch_traffic.baseline import Feature, baseline
from watch_traffic.bins import histogram
from watch_traffic.effect import Effect, psi, records_needed, wasserstein

if TYPE_CHECKING:
    from collections.abc import Sequence

NOISE = random.Random(2)


@pytest.fixture(autouse=True)
def same_noise() -> None:
    """Give each test the same random numbers, whichever tests run before it."""
    NOISE.seed(12)


def normal(mean: float, deviation: float, count: int) -> list[float]:
    return [NOISE.gauss(mean, deviation) for _ in range(count)]


def feature(values: Sequence[object]) -> Feature:
    return baseline(["x"], [[value] for value in values]).features[0]


NUMBERS = feature([*normal(10.0, 2.0, 20_000)])
TEXTS = feature(["a"] * 500 + ["b"] * 500)


def sizes(values: list[float], of: Feature = NUMBERS) -> tuple[Effect, Effect | None]:
    placed = of.bins.place(values)
    counts = histogram(placed, of.bins.size)
    return psi(of, counts), wasserstein(of, counts, placed.sums)


def test_the_index_of_two_categories() -> None:
    found = psi(TEXTS, [60_000, 40_000, 0, 0])
    assert found.value + found.noise == pytest.approx(0.1 * math.log(1.5), abs=0.001)


@pytest.mark.parametrize("records", [100, 1_000])
def test_without_drift_the_index_is_as_large_as_its_noise_and_the_distance_too(records: int) -> None:
    found = [sizes(normal(10.0, 2.0, records)) for _ in range(200)]
    exact = [one[0].value for one in found]
    noise = found[0][0].noise
    assert statistics.fmean(exact) < 0.5 * noise
    assert statistics.median(exact) < 0.3 * noise
    distances = [one[1].value for one in found if one[1] is not None]
    assert statistics.median(distances) < 0.9 * found[0][1].noise  # type: ignore[union-attr]


@pytest.mark.parametrize("move", [0.1, 0.5, 3.0, 50.0])
def test_the_distance_of_a_move_is_the_move(move: float) -> None:
    _, found = sizes(normal(10.0 + 2.0 * move, 2.0, 20_000))
    assert found is not None
    assert found.value == pytest.approx(move, abs=0.03, rel=0.01)


def test_the_distance_of_a_wider_distribution() -> None:
    # Of normal numbers with standard deviations 1 and s: |s - 1| sqrt(2 / pi).
    _, found = sizes(normal(10.0, 3.0, 20_000))
    assert found is not None
    assert found.value == pytest.approx(0.5 * math.sqrt(2.0 / math.pi), abs=0.03)


def test_the_index_of_a_move_of_normal_numbers_is_about_its_square() -> None:
    found, _ = sizes(normal(11.0, 2.0, 20_000))
    assert found.value == pytest.approx(0.25, rel=0.15)


def test_texts_constants_and_empty_windows_have_no_distance() -> None:
    constant = feature([3] * 50)
    assert wasserstein(TEXTS, [1, 1, 0, 0], [0.0] * 4) is None
    assert wasserstein(constant, [5, 0, 0], [15.0, 0.0, 0.0]) is None
    assert sizes([]) == (Effect(0.0, math.inf), None)


def test_a_constant_that_changes_has_an_index() -> None:
    constant = feature([3] * 50)
    assert psi(constant, histogram(constant.bins.place([""] * 200), 3)).value > 1.0


def test_an_effect_counts_when_enough_records_measure_it() -> None:
    assert Effect(0.2, 0.05).exceeds(0.1)
    assert not Effect(0.2, 0.06).exceeds(0.1)
    assert not Effect(0.1, 0.0).exceeds(0.1)


def test_how_many_records_are_needed() -> None:
    needed = int(records_needed(NUMBERS, 0.1, 0.1))
    assert 400 <= needed <= 700
    found = [sizes(normal(10.0, 2.0, count)) for count in (needed, needed - 1)]
    assert [one[0].noise <= 0.05 and one[1] is not None and one[1].noise <= 0.05 for one in found] == [True, False]
    # Fewer for the index alone.
    assert 150 <= records_needed(NUMBERS, 0.1, math.inf) <= 250


def test_a_small_baseline_never_measures_a_small_distance() -> None:
    assert records_needed(feature([*normal(0.0, 1.0, 100)]), 0.1, 0.01) == math.inf
