"""The watch: windows of records in, findings and alarms out."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from watch_traffic import model_monitor
from watch_traffic.baseline import Baseline, baseline
from watch_traffic.plan import Plan
from watch_traffic.recent import MAX_WINDOWS
from watch_traffic.thinning import one_per_key_and_hour
from watch_traffic.watch import Watch

NOISE = random.Random(4)
HOUR = 3_600.0


@pytest.fixture(autouse=True)
def same_noise() -> None:
    """Give each test the same random numbers, whichever tests run before it."""
    NOISE.seed(14)


def records(count: int, mean: float = 0.0, colours: str = "rrgb") -> dict[str, list[object]]:
    return {
        "size": [NOISE.gauss(mean, 1.0) for _ in range(count)],
        "colour": [NOISE.choice(colours) for _ in range(count)],
        "age": [NOISE.randrange(18, 80) for _ in range(count)],
    }


def trained(rows: int = 20_000) -> Baseline:
    columns = records(rows)
    return baseline(list(columns), zip(*columns.values(), strict=True))


TRAINED = trained()


def findings(watch: Watch) -> dict[str, Any]:
    return {one.feature: one for one in watch.findings()}


def test_an_alarm_names_the_feature_how_much_and_since_when() -> None:
    watch = Watch.of(TRAINED, Plan())
    for hour in range(6):
        watch.add(hour * HOUR, records(1_000))
    assert not any(one.alarm for one in watch.findings())
    for hour in range(6, 9):
        watch.add(hour * HOUR, records(1_000, mean=0.5))
    found = findings(watch)
    assert [name for name, one in found.items() if one.alarm] == ["size"]
    size = found["size"]
    assert size.shown.since == 6 * HOUR
    assert size.records == 3_000
    assert size.wasserstein.value == pytest.approx(0.5, abs=0.07)
    assert size.sentence().startswith("size has drifted from the training data since 1970-01-01 06:00 UTC: ")
    assert f"moved by {size.wasserstein.value:.2f} standard deviations" in size.sentence()
    assert found["colour"].sentence().startswith("colour is not shown to differ from the training data (PSI 0.0")
    [violation] = model_monitor.violations(watch.findings())["violations"]
    assert (violation["feature_name"], violation["constraint_check_type"]) == ("size", "baseline_drift_check")


def test_a_new_category_is_named() -> None:
    watch = Watch.of(TRAINED, Plan())
    watch.add(0.0, records(2_000, colours="rrgbx"))
    colour = findings(watch)["colour"]
    assert colour.alarm
    assert "% are another value, 0.0 % in the training data" in colour.change


def test_a_small_difference_is_shown_but_rings_no_alarm() -> None:
    watch = Watch.of(TRAINED, Plan(wasserstein_limit=0.3))
    for hour in range(10):
        watch.add(hour * HOUR, records(4_000, mean=0.15))
    size = findings(watch)["size"]
    assert size.shown is not None
    assert not size.alarm
    assert "differs a little" in size.sentence()
    assert size.row()["log10_limit"] == pytest.approx(math.log10(60.0))


def test_a_large_effect_without_evidence_rings_no_alarm() -> None:
    watch = Watch.of(trained(200), Plan(psi_limit=0.0, wasserstein_limit=0.0))
    watch.add(0.0, records(50))
    assert not any(one.alarm for one in watch.findings())


def test_an_alarm_may_wait_until_a_whole_day_is_seen() -> None:
    watch = Watch.of(TRAINED, Plan(min_hours=24.0))
    rung = []
    for hour in range(30):
        watch.add(hour * HOUR, records(200, mean=1.0))
        rung.append(findings(watch)["size"].alarm)
    assert rung.index(True) == 24
    assert findings(watch)["size"].records == 25 * 200


def test_when_the_drift_is_over_so_is_the_alarm() -> None:
    watch = Watch.of(TRAINED, Plan())
    for hour in range(12):
        watch.add(hour * HOUR, records(3_000, mean=0.5 if hour < 2 else 0.0))
        assert findings(watch)["size"].alarm == (hour < 2)
    assert findings(watch)["size"].shown.since == 0.0


def test_the_level_is_shared_by_weight() -> None:
    watch = Watch.of(TRAINED, Plan(level=0.01, weights={"size": 2.0}))
    limits = [math.exp(-one.limit) for one in watch.evidence]
    assert limits == pytest.approx([0.005, 0.0025, 0.0025])


def test_parts_of_a_window_are_one_window_and_state_can_be_kept() -> None:
    columns = records(1_000, mean=0.3)
    whole = Watch.of(TRAINED, Plan())
    whole.add(HOUR, columns)
    parts = Watch.of(TRAINED, Plan())
    for start in range(0, 1_000, 130):
        parts = Watch.from_json(json.loads(json.dumps(parts.to_json())), TRAINED, Plan())
        parts.add(HOUR, {name: column[start : start + 130] for name, column in columns.items()})
    assert [one.row() for one in parts.findings()] == [
        {**one.row(), "wasserstein": pytest.approx(one.row()["wasserstein"])} for one in whole.findings()
    ]
    assert len(parts.recent.windows) == 1


def test_memory_does_not_grow() -> None:
    watch = Watch.of(TRAINED, Plan(min_hours=1_000.0))
    for hour in range(3 * MAX_WINDOWS):
        watch.add(hour * HOUR, records(5))
        assert len(watch.recent.windows) <= MAX_WINDOWS
    assert watch.recent.since(-math.inf).records == 15 * MAX_WINDOWS  # type: ignore[union-attr]


def test_short_windows_cover_a_day_and_not_much_more() -> None:
    watch = Watch.of(TRAINED, Plan(min_hours=24.0))
    rung, quarters = [], 4 * 24 * 4
    for quarter in range(quarters):
        watch.add(quarter * HOUR / 4, records(50, mean=1.0 if quarter > 90 else 0.0))
        rung.append(findings(watch)["size"].alarm)
    first = rung.index(True)
    assert 90 + 96 <= first < 90 + 150
    assert all(rung[first:])
    assert (quarters * HOUR / 4 - watch.recent.windows[0].begin) / HOUR < 50.0


def test_nothing_comes_of_an_empty_window() -> None:
    watch = Watch.of(TRAINED, Plan())
    watch.add(0.0, records(0))
    row = findings(watch)["size"].row()
    assert (row["records"], row["psi"], row["psi_noise"], row["alarm"]) == (0, 0.0, None, False)
    assert row["log10_evidence"] == 0.0
    json.dumps(row, allow_nan=False)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"size": [1.0]}, "columns: there is none for colour, age"),
        ({"size": [1.0], "colour": [], "age": [1]}, "columns: must have the same number of records"),
    ],
)
def test_columns_that_do_not_fit(columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Watch.of(TRAINED, Plan()).add(0.0, columns)


def test_the_state_of_another_plan_is_refused() -> None:
    written = Watch.of(TRAINED, Plan()).to_json()
    with pytest.raises(ValueError, match="another baseline or plan"):
        Watch.from_json(written, TRAINED, Plan(level=0.01))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 0.0}, "level: must be above 0 and below 1, got 0.0"),
        ({"weights": {"size": 0.0}}, "weights: must be above 0, got 0.0 for size"),
        ({"psi_limit": -1.0}, "psi_limit: must be 0 or more, got -1.0"),
        ({"weights": {"height": 1.0}}, "weights: there is no feature height"),
    ],
)
def test_plans_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Watch.of(TRAINED, Plan(**arguments))


def test_one_record_of_each_key_and_hour() -> None:
    stream = [(10.0, "a", 1), (20.0, "a", 2), (30.0, "b", 3), (HOUR + 1.0, "a", 4), (HOUR + 2.0, "a", 5)]
    assert list(one_per_key_and_hour(stream)) == [1, 3, 4]
