"""Quality from outcomes, and what is expected without them."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from watch_traffic.calibration import Calibration
from watch_traffic.capital import Capital
from watch_traffic.quality import Quality, _log_mean, falls

if TYPE_CHECKING:
    from collections.abc import Callable

NOISE = random.Random(6)


@pytest.fixture(autouse=True)
def same_noise() -> None:
    """Give each test the same random numbers, whichever tests run before it."""
    NOISE.seed(7)


def outcomes(rate: float, count: int) -> list[bool]:
    return [NOISE.random() < rate for _ in range(count)]


@pytest.mark.parametrize("least", [0.5, 0.9, 0.999])
def test_a_bet_on_a_fall_gains_nothing_where_there_is_none(least: float) -> None:
    for bet in falls(least):
        wrong, right = map(math.exp, bet.log_factors)
        assert (1.0 - least) * wrong + least * right == pytest.approx(1.0, abs=1e-12)
        better = (1.0 + least) / 2.0
        assert (1.0 - better) * wrong + better * right < 1.0


def test_a_fall_is_shown_and_dated_and_its_absence_is_not() -> None:
    quality = Quality.of(0.9, 0.05)
    for hour in range(20):
        quality.add(outcomes(0.92, 200), float(hour))
    assert quality.shown is None
    for hour in range(20, 30):
        quality.add(outcomes(0.8, 200), float(hour))
    assert quality.shown is not None
    assert quality.shown.since in (19.0, 20.0, 21.0)
    assert 4_000 < quality.shown.records <= 4_600


@pytest.mark.parametrize("pace", [0.0, 0.3])
def test_falls_are_hardly_ever_shown_at_the_tolerated_rate_and_intervals_contain_the_mean(pace: float) -> None:
    """The rate also swings above the tolerated one; the interval is that of its mean. Both levels are 10 %."""
    shown, missed = 0, 0
    for _ in range(100):
        quality, rates, outside = Quality.of(0.6, 0.1), [], False
        for place in range(60):
            rates.append(0.6 + 0.2 * pace * (1.0 + math.sin(place)))
            quality.add(outcomes(rates[-1], 10), 0.0)
            outside |= _log_mean(sum(rates) / len(rates), quality.right, quality.records) >= math.log(10.0)
        shown += quality.shown is not None
        missed += outside
    assert shown <= 17
    assert missed <= 17


def test_the_interval_narrows_and_is_all_rates_at_first() -> None:
    quality = Quality.of(0.9, 0.05)
    assert quality.interval() == (0.0, 1.0)
    widths = []
    for _ in range(3):
        quality.add(([True] * 9 + [False]) * 100, 0.0)
        low, high = quality.interval()
        assert low < 0.9 < high
        ends = [_log_mean(end, quality.right, quality.records) for end in (low, high)]
        assert ends == pytest.approx([math.log(20.0)] * 2, abs=1e-6)
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] < 0.08


@pytest.mark.parametrize("right", [True, False])
def test_the_interval_of_equal_outcomes_ends_at_the_end(right: bool) -> None:
    quality = Quality.of(0.5, 0.05)
    quality.add([right] * 500, 0.0)
    low, high = quality.interval()
    assert (high == 1.0, low == 0.0) == (right, not right)
    assert high - low < 0.02


def test_quality_does_not_depend_on_the_parts_and_can_be_kept() -> None:
    found = outcomes(0.8, 330)
    whole, parts = Quality.of(0.85, 0.05), Quality.of(0.85, 0.05)
    whole.add(found, 1.0)
    for start in range(0, 330, 37):
        parts = Quality.from_json(json.loads(json.dumps(parts.to_json())))
        parts.add(found[start : start + 37], 1.0)
    assert parts == whole


@pytest.mark.parametrize("arguments", [(0.0, 0.05), (0.9, 1.0)])
def test_limits_that_are_no_probabilities(arguments: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must be above 0 and below 1"):
        Quality.of(*arguments)


def test_the_capital_of_other_bets_is_refused() -> None:
    with pytest.raises(ValueError, match="bets: must be three times 2"):
        Capital.from_json([[0.0], [0.0], [0.0]], 2)


def predictions(count: int, draw: Callable[[], float]) -> list[tuple[float, bool]]:
    """Predictions of a model that is too sure of itself: of confidence c, it is right as often as c squared."""
    confidences = [draw() for _ in range(count)]
    return [(one, NOISE.random() < one * one) for one in confidences]


def test_more_difficult_records_are_expected_to_be_right_less_often() -> None:
    calibration = Calibration.of(predictions(20_000, lambda: NOISE.uniform(0.5, 1.0)))
    later = predictions(20_000, lambda: NOISE.uniform(0.5, 0.7))
    found = calibration.expected([one for one, _ in later])
    assert found is not None
    accuracy = sum(right for _, right in later) / len(later)
    assert accuracy == pytest.approx(found.accuracy, abs=3.0 * found.error)
    assert found.error < 0.01
    assert accuracy < 0.4 < sum(one for one, _ in later) / len(later)


def test_the_error_says_how_far_off_the_expectation_is() -> None:
    within = 0
    for _ in range(100):
        calibration = Calibration.of(predictions(400, lambda: NOISE.uniform(0.5, 1.0)))
        later = predictions(200, lambda: NOISE.uniform(0.5, 1.0))
        found = calibration.expected([one for one, _ in later])
        assert found is not None
        within += abs(found.accuracy - sum(right for _, right in later) / 200) <= 1.96 * found.error
    assert 88 <= within <= 100


def test_more_confidence_is_never_less_often_right() -> None:
    found = Calibration.of([(0.6, True)] * 30 + [(0.7, False)] * 30 + [(0.8, True)] * 40)
    assert (found.edges, found.right, found.totals) == ((0.7,), (30, 40), (60, 40))
    assert found.expected([0.5, 0.99]) == pytest.approx((0.75, found.expected([0.5, 0.99])[1]))  # type: ignore[index]
    assert found.expected([]) is None
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_equal_confidences_are_one_bin() -> None:
    found: Any = Calibration.of([(1.0, place % 4 > 0) for place in range(400)])
    assert (found.edges, found.right, found.totals) == ((), (300,), (400,))


def test_too_few_predictions_make_no_calibration() -> None:
    with pytest.raises(ValueError, match="validated: must be at least 20, got 3"):
        Calibration.of([(0.5, True)] * 3)
