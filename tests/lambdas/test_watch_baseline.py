"""The baseline of the training data: kinds, bins and statistics, from one pass over the rows."""

from __future__ import annotations

import json
import random
import statistics
from typing import TYPE_CHECKING, Any

import pytest
from watch_traffic import model_monitor
from watch_traffic.baseline import Feature, baseline
from watch_traffic.sample import Sample
from watch_traffic.values import number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOISE = random.Random(1)
NUMBERS = [NOISE.gauss(5.0, 2.0) for _ in range(400)]


def feature(values: Sequence[object], **options: Any) -> Feature:
    return baseline(["x"], [[value] for value in values], "seed", **options).features[0]


@pytest.mark.parametrize(
    ("value", "found"),
    [("1.5", 1.5), (2, 2.0), (" 3 ", 3.0), (True, None), ("inf", None), ("nan", None), (None, None), ("", None)],
)
def test_only_a_finite_number_is_a_number(value: object, found: float | None) -> None:
    assert number(value) == found


@pytest.mark.parametrize(
    ("value", "found"), [(None, ""), (float("nan"), ""), (" a ", "a"), (True, "true"), (1.5, "1.5")]
)
def test_a_value_as_text(value: object, found: str) -> None:
    assert text(value) == found


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "", "NA"] * 25, "number"),
        (["1"] * 38 + ["x"] * 2, "number"),
        (["a", "1", "b", ""] * 25, "text"),
        (["", None, "null", "NaN"] * 25, "missing"),
    ],
)
def test_the_kind_of_a_feature(values: list[object], kind: str) -> None:
    assert feature(values).bins.kind == kind


def test_numbers_have_bins_of_about_equal_size_and_two_for_the_rest() -> None:
    found = feature([*NUMBERS, *(value + 0.001 for value in NUMBERS), *[""] * 100, *["?"] * 4])
    assert (found.bins.known, found.bins.size) == (10, 12)
    assert max(found.shape[:10]) <= min(found.shape[:10]) + 1
    assert sum(found.counts) == 904
    assert found.bins.place(["", "na", "?", -1e9, "1e9"]).places == [11, 11, 10, 0, 9]
    assert found.bins.place([-1e9, "1e9"]).sums == [-1e9, *[0.0] * 8, 1e9, 0.0, 0.0]


def test_few_different_numbers_have_a_bin_each() -> None:
    found = feature([0, 1, 1, 2] * 50)
    assert found.bins.edges == (0.0, 1.0)
    assert found.counts == [50, 100, 50, 0, 0]


def test_a_constant_has_one_bin_of_numbers() -> None:
    found = feature([7] * 60)
    assert (found.bins.edges, found.counts, found.deviation) == ((), [60, 0, 0], 0.0)


def test_frequent_texts_have_a_bin_and_the_others_share_one() -> None:
    values = ["a"] * 200 + ["b"] * 100 + [f"rare {place}" for place in range(20)] + [""] * 10
    found = feature(values, max_categories=2)
    assert found.bins.categories == ("a", "b")
    assert found.counts == [200, 100, 20, 10]
    assert found.bins.place(["b", "c", "", None, "NA"]).places == [1, 2, 3, 3, 2]


def test_few_rows_have_few_bins() -> None:
    assert [feature(NUMBERS[:rows]).bins.known for rows in (40, 100, 200, 400)] == [2, 2, 5, 10]
    assert feature([f"text {place % 30}" for place in range(60)]).bins.known <= 2


def test_where_no_record_has_a_value_each_value_is_another_one() -> None:
    found = feature(["", "NA"] * 50)
    assert found.counts == [100, 0, 0]
    assert found.bins.place(["n/a", "x", 3]).places == [0, 1, 1]


def test_statistics_are_those_of_all_rows_whatever_the_size_of_the_sample() -> None:
    found = feature([*NUMBERS, ""], sample_size=100)
    written = found.statistics["numerical_statistics"]
    assert written["mean"] == pytest.approx(statistics.fmean(NUMBERS))
    assert written["std_dev"] == pytest.approx(statistics.pstdev(NUMBERS))
    assert (written["min"], written["max"]) == (min(NUMBERS), max(NUMBERS))
    assert written["common"] == {"num_present": 400, "num_missing": 1}
    assert sum(found.counts) == 100
    assert (sum(found.shape), sum(found.reference)) == (25, 75)


def test_the_same_rows_give_the_same_baseline_and_another_seed_another_sample() -> None:
    rows = [[value] for value in NUMBERS]
    first, again, other = (baseline(["x"], iter(rows), seed, sample_size=80) for seed in ("a", "a", "b"))
    assert first == again
    assert first.features[0].means != other.features[0].means


def test_every_row_is_as_likely_in_the_sample_and_in_its_first_part() -> None:
    kept, first = [0] * 20, [0] * 20
    for seed in range(2_000):
        sample = Sample(10, str(seed))
        for row in range(20):
            sample.add([row])
        parts = sample.split(0.5)
        assert [len(part) for part in parts] == [5, 5]
        for (found,) in parts[0]:
            first[int(str(found))] += 1
        for (found,) in [*parts[0], *parts[1]]:
            kept[int(str(found))] += 1
    assert all(abs(count - 1_000) < 120 for count in kept)
    assert all(abs(count - 500) < 120 for count in first)


def test_rows_are_read_once() -> None:
    read = 0

    def rows() -> Iterator[list[object]]:
        nonlocal read
        for value in NUMBERS:
            read += 1
            yield [value]

    baseline(["x"], rows())
    assert read == 400


@pytest.mark.parametrize(
    ("rows", "message"),
    [([[1]] * 39, "rows: must be at least 40, got 39"), ([[1]] * 50 + [[1, 2]], "row 51: must have 1 values, got 2")],
)
def test_rows_that_make_no_baseline(rows: list[list[object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        baseline(["x"], rows)


def mixed() -> Any:
    rows = [[value, "ab"[place % 2], ""] for place, value in enumerate(NUMBERS)]
    return baseline(["size", "colour", "nothing"], rows)


def test_it_can_be_written_as_statistics_of_model_monitor_and_read_again() -> None:
    written = model_monitor.statistics(mixed())
    assert written["dataset"] == {"item_count": 400}
    size, colour, nothing = written["features"]
    assert (size["inferred_type"], colour["inferred_type"], nothing["inferred_type"]) == (
        "Fractional",
        "String",
        "Unknown",
    )
    buckets = size["numerical_statistics"]["distribution"]["kll"]["buckets"]
    assert sum(bucket["count"] for bucket in buckets) == 400
    assert [bucket["lower_bound"] for bucket in buckets[1:]] == [bucket["upper_bound"] for bucket in buckets[:-1]]
    assert colour["string_statistics"]["distribution"]["categorical"]["buckets"] == [
        {"value": "a", "count": 200},
        {"value": "b", "count": 200},
    ]
    assert colour["string_statistics"]["distinct_count"] == 2
    assert model_monitor.read(json.loads(json.dumps(written))) == mixed()


@pytest.mark.parametrize("wrong", [{}, {"features": [{}]}, {"features": 1}])
def test_another_file_is_no_baseline(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not the baseline of a training"):
        model_monitor.read(wrong)


def test_bins_that_do_not_fit_are_no_baseline() -> None:
    written = json.loads(json.dumps(model_monitor.statistics(mixed())))
    written["features"][0]["means"].pop()
    with pytest.raises(ValueError, match="size: must have 12 bins"):
        model_monitor.read(written)


def test_what_it_suggests_as_constraints_of_model_monitor() -> None:
    written = model_monitor.constraints(mixed(), 0.1)
    size, colour, nothing = written["features"]
    assert size["num_constraints"] == {"is_non_negative": min(NUMBERS) >= 0}
    assert colour["string_constraints"] == {"domains": ["a", "b"]}
    assert [one["completeness"] for one in (size, colour, nothing)] == [1.0, 1.0, 0.0]
    assert written["monitoring_config"]["distribution_constraints"]["comparison_threshold"] == 0.1


def test_predictions_may_have_a_baseline_of_their_own() -> None:
    both = mixed().with_features(baseline(["prediction"], [["yes"], ["no"]] * 50))
    assert [one.name for one in both.features] == ["size", "colour", "nothing", "prediction"]
