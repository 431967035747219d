"""Looks at production: what is counted, what raises an alarm, who is notified, and what is left for people."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lambdas.ab_lake import BUCKET, ENDPOINT, PIPELINE, START, model
from lambdas.watched_world import HOUR, PACKAGE, QUALITY, KilledError, World
from watch_traffic import model_monitor
from watch_traffic.baseline import baseline
from watch_traffic.calibration import Calibration
from watch_traffic.released import Baselines

from handler_kit.ab_record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


def drifted(world: World, quiet: int = 3, hours: int = 6, mean: float = 1.0) -> None:
    """Some quiet hours, then hours with another size."""
    for hour in range(hours):
        for part in range(4):
            world.capture(hour + part / 4 + 0.01, mean=mean if hour >= quiet else 0.0)


def test_an_alarm_names_the_feature_how_much_and_since_when(world: World) -> None:
    drifted(world)
    report = world.look(6.1)
    (message,) = world.messages
    assert message["Subject"] == f"{PIPELINE}: drift in size"
    assert "size has drifted from the training data since 2026-09-21 18:00 UTC" in message["Message"]
    assert "monitoring%2F" in message["Message"]
    assert [one["feature"] for one in report["features"] if one["alarm"]] == ["size"]
    assert report["alarms"][0]["features"] == ["size"]


def test_nothing_rings_without_a_change(world: World) -> None:
    drifted(world, mean=0.0)
    report = world.look(6.1)
    assert (world.messages, world.retrainings, report["alarms"]) == ([], [], [])
    assert report["features"][0]["records"] > 0


def test_the_function_that_retrains_gets_the_alarm(world: World) -> None:
    drifted(world)
    world.look(6.1)
    (event,) = world.retrainings
    assert event.keys() == {"reason", "pipeline", "release", "window", "features", "sentence", "id"}
    assert (event["reason"], event["pipeline"], event["release"], event["features"]) == ("drift", PIPELINE, 1, ["size"])
    (call,) = world.functions.requests["Invoke"]
    assert call["InvocationType"] == "Event"


def test_an_alarm_rings_once_however_often_anyone_looks(world: World) -> None:
    drifted(world, hours=12)
    for hours in (4.1, 5.1, 5.2, 6.1, 9.1, 12.1, 12.2):
        world.look(hours)
    assert (len(world.messages), len(world.retrainings)) == (1, 1)


def test_a_look_that_is_not_over_is_not_counted(world: World) -> None:
    world.capture(0.5)
    assert world.look(0.99)["features"][0]["records"] == 0
    assert world.look(1.02)["features"][0]["records"] == 50


def test_what_arrives_late_counts_when_it_arrives(world: World) -> None:
    world.capture(0.5, delay=2.0 * HOUR)
    assert world.look(1.1)["features"][0]["records"] == 0
    assert world.look(3.1)["features"][0]["records"] == 50


def test_smoke_tests_and_what_came_before_the_release_do_not_count(world: World) -> None:
    world.capture(0.5, prefix="smoke-test-")
    world.put(START - 10.0, [world.line("early", START - 10.0, "1,r")], delay=20.0)
    report = world.look(1.1)
    assert report["features"][0]["records"] == 0
    assert report["counts"]["before"] == 1


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (b"{broken", "malformed"),
        ({"captureData": {}, "eventMetadata": {"eventId": "e"}}, "malformed"),
    ],
)
def test_what_cannot_be_read_is_counted(world: World, line: object, count: str) -> None:
    world.put(START + 60.0, [line])
    assert world.look(1.1)["counts"][count] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        ('{"instances": [[0.5, "r"], {"features": [0.1, "g"]}]}', "application/json", "JSON"),
        ('{"size": 0.5, "colour": "r"}', "application/json", "JSON"),
        ("WzAuNSwgInIiXQo=", "application/jsonlines", "BASE64"),
        ("MC41LHIKMC4xLGc=", "text/csv; charset=utf-8", "BASE64"),
    ],
)
def test_bodies_of_all_text_types_are_read(world: World, body: str, content_type: str, encoding: str) -> None:
    two = "instances" in body or body.startswith("MC4")
    response = "a\nb" if two else "a"
    world.put(
        START + 60.0,
        [world.line("x", START + 60.0, body, content_type=content_type, encoding=encoding, response=response)],
    )
    report = world.look(1.1)
    assert report["features"][0]["records"] == 1 + two
    assert report["counts"].get("unreadable_requests", 0) == 0


@pytest.mark.parametrize("content_type", ["image/png", "application/x-npy"])
def test_of_pictures_the_predictions_alone_are_watched(world: World, content_type: str) -> None:
    line = world.line("x", START + 60.0, "iVBORw0KGgo=", content_type=content_type, encoding="BASE64")
    world.put(START + 60.0, [line])
    report = world.look(1.1)
    assert [one["records"] for one in report["features"]] == [0, 0, 1]
    assert report["counts"]["unreadable_requests"] == 1


def test_ignored_features_are_not_watched(world: World) -> None:
    drifted(world)
    report = world.look(6.1, ignored_features=["size"])
    assert [one["feature"] for one in report["features"]] == ["colour", "prediction"]
    assert world.messages == []


def test_a_feature_called_as_a_reason_hides_no_other_alarm(world: World) -> None:
    place = Baselines(world.s3.client, BUCKET, PIPELINE).of(PACKAGE)
    found = baseline(["quality", "prediction"], [world.row() for _ in range(4_000)])
    place.put("statistics.json", model_monitor.statistics(found))
    drifted(world)
    world.look(6.1, quality=QUALITY)
    truths(world, 0.5, hours=6)
    world.look(10.1, quality=QUALITY)
    assert sorted(one["reason"] for one in world.retrainings)[-1:] == ["quality"]
    assert next(one["features"] for one in world.retrainings if one["reason"] == "drift") == ["quality"]


def test_a_user_counts_once_an_hour(world: World) -> None:
    for part in range(3):
        at = START + 60.0 * (part + 1)
        names = ("anna.1", "anna.2", "otto.1", "nobody")
        world.put(at, [world.line(name, at, "0.5,r") for name in names])
    report = world.look(1.1, one_record_per_user=True)
    assert report["features"][0]["records"] == 2
    assert report["counts"]["without_user"] == 3


def test_a_new_release_begins_a_new_watch(world: World) -> None:
    drifted(world)
    world.look(6.1)
    world.release(2, START + 6 * HOUR, PACKAGE)
    world.capture(6.5)
    report = world.look(7.1)
    assert (report["release"], report["alarms"]) == (2, [])
    assert report["features"][0]["records"] == 50


def test_another_plan_begins_a_new_watch(world: World) -> None:
    drifted(world)
    world.look(6.1)
    plan = {**world.config["plan"], "psi_limit": 5.0, "wasserstein_limit": 5.0}
    assert world.look(6.2, plan=plan)["alarms"] == []


def test_a_release_without_a_baseline_is_said_to_have_none(world: World) -> None:
    world.release(2, START, PACKAGE.replace("/4", "/5"))
    report = world.look(1.1)
    assert "Release 2 has no baseline, because it was made before" in report["sentence"]
    assert f"mlops rollback {PIPELINE} 2" in report["sentence"]


def test_before_the_first_release_there_is_nothing_to_watch(world: World) -> None:
    world.s3.objects.pop(f"releases/{PIPELINE}/1.json")
    assert world.look(1.1)["sentence"] == "Nothing has been released yet."


def test_rows_are_those_of_the_last_look_of_an_hour(world: World) -> None:
    world.capture(0.1)
    world.capture(0.6)
    world.look(0.6, looks_every_seconds=1_800)
    world.look(1.1, looks_every_seconds=1_800)
    ((key, text),) = world.stored("features/").items()
    assert key.startswith("features/year=2026/month=09/day=21/hour=15/1-")
    rows = [json.loads(line) for line in text.splitlines()]
    assert [(row["feature"], row["records"], row["release"]) for row in rows] == [
        ("size", 100, "1"),
        ("colour", 100, "1"),
        ("prediction", 100, "1"),
    ]
    assert {row["window"] for row in rows} == {"2026-09-21 15:00:00"}


def test_the_picture_shows_what_was_expected_and_seen(world: World) -> None:
    drifted(world)
    world.look(6.1)
    (text,) = (text for key, text in world.stored("alarms/").items() if key.endswith(".svg"))
    root = ElementTree.fromstring(text)
    texts = " ".join(one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "size has drifted" in texts
    assert "expected (4,000 rows)" in texts


def test_violations_have_the_form_of_model_monitor(world: World) -> None:
    drifted(world)
    world.look(6.1)
    (violation,) = json.loads(world.stored("releases/1/constraint_violations.json").popitem()[1])["violations"]
    assert (violation["feature_name"], violation["constraint_check_type"]) == ("size", "baseline_drift_check")


def test_metrics_have_evidence_and_effect_of_each_feature(world: World) -> None:
    drifted(world)
    world.look(6.1)
    (request,) = world.cloudwatch.requests["PutMetricData"]
    assert request["Namespace"] == "MLOpsConstructs/Monitoring"
    names = [(one["MetricName"], *(each["Value"] for each in one["Dimensions"])) for one in request["MetricData"]]
    assert ("Evidence", PIPELINE, "size") in names
    assert ("PSI", PIPELINE, "colour") in names
    assert next(one["Value"] for one in request["MetricData"] if one["MetricName"] == "Alarms") == 1.0


def test_without_feature_metrics_there_is_only_the_number_of_alarms(world: World) -> None:
    world.capture(0.5)
    world.look(1.1, feature_metrics=False)
    (request,) = world.cloudwatch.requests["PutMetricData"]
    assert [one["MetricName"] for one in request["MetricData"]] == ["Alarms"]


def test_metrics_that_cloudwatch_would_refuse_are_not_sent(world: World) -> None:
    world.look(1.1)
    world.cloudwatch.requests.clear()
    world.capture(1.5)
    assert world.look(24.0 * 20, seconds_left=lambda: 0.0)["behind"]
    assert "PutMetricData" not in world.cloudwatch.requests


def test_a_look_without_time_goes_on_next_time(world: World) -> None:
    drifted(world)
    for _ in range(40):
        calls = iter([900.0])
        report = world.look(6.1, seconds_left=lambda calls=calls: next(calls, 0.0))  # type: ignore[misc]
    assert not report["behind"]
    assert len(world.messages) == 1


def test_metrics_alone_do_not_begin_a_new_watch(world: World) -> None:
    drifted(world)
    before = world.look(6.1)
    assert world.look(6.2, feature_metrics=False)["alarms"] == before["alarms"]


def test_the_table_of_the_docs_has_the_columns_of_a_row(world: World) -> None:
    world.capture(0.5)
    world.look(1.1)
    row = json.loads(next(iter(world.stored("features/").values())).splitlines()[0])
    statement = (Path(__file__).parents[2] / "docs" / "drift.md").read_text().partition("EXTERNAL TABLE drift (")[2]
    columns = [one.split()[0].strip("`") for one in statement.partition(")\n")[0].split(",")]
    assert columns == list(row)


def truths(world: World, right: float, hours: int = 6) -> None:
    """Capture requests, and report what has become of them."""
    for hour in range(hours):
        at = START + hour * HOUR + 60.0
        names = [f"{hour}-{place}" for place in range(100)]
        world.put(at, [world.line(name, at, "0.5,r", response="a") for name in names])
        for place, name in enumerate(names):
            world.report(name, at + 600.0, "a" if place < 100 * right else "b")


def test_quality_that_falls_is_shown_by_outcomes(world: World) -> None:
    world.config["predictions"], world.config["ignored_features"] = False, ["size", "colour"]
    truths(world, 0.6)
    world.config["ignored_features"] = ["size"]
    report = world.look(9.1, quality=QUALITY)
    assert "60.0 % of 600 predictions were right" in report["quality"]
    assert [one["reason"] for one in world.retrainings if one["reason"] == "quality"] == ["quality"]
    rows = [json.loads(text) for text in world.stored("quality/").values()]
    assert rows[-1]["records"] == 600


def test_quality_that_is_as_good_as_it_must_be_rings_no_alarm(world: World) -> None:
    truths(world, 0.9)
    report = world.look(9.1, quality=QUALITY)
    assert "90.0 % of 600 predictions were right" in report["quality"]
    assert [one for one in world.retrainings if one["reason"] == "quality"] == []


def test_outcomes_count_only_within_their_window(world: World) -> None:
    at = START + 60.0
    world.put(at, [world.line("x", at, "0.5,r", response="a"), world.line("y", at, "0.5,r", response="a")])
    world.report("x", at + 7_300.0, "a")
    world.report("y", at + 7_100.0, "a")
    assert world.look(3.01, quality=QUALITY)["quality"] == "No outcomes yet."
    report = world.look(3.1, quality=QUALITY)
    assert "of 1 predictions" in report["quality"]
    assert report["counts"]["without_outcome"] == 1


def test_estimated_quality_that_falls_rings_without_outcomes(world: World) -> None:
    validated = [(0.6 + 0.4 * place / 999, place % 10 > 4 - place // 250) for place in range(1_000)]
    world.baseline(calibration=Calibration.of(validated))
    at = START + 60.0
    world.put(at, [world.line(f"{place}", at, "0.5,r", response="0.6") for place in range(400)])
    quality = {**QUALITY, "estimated": True, "min_accuracy": 0.9}
    report = world.look(1.1, quality=quality)
    assert "less than 90 %" in report["estimated_quality"]
    assert "estimated_quality" in [one["reason"] for one in world.retrainings]


def looked(world: World, hours: list[float]) -> tuple[dict[str, Any], list[str], dict[str, str]]:
    """Look at these times; return state, messages and rows."""
    for hour in hours:
        world.look(hour)
    messages = [one["Message"] for one in world.messages]
    return world.state(), messages, world.stored("features/")


def busy(world: World) -> None:
    drifted(world, quiet=2, hours=5)


@pytest.mark.parametrize("hours", [[1.1, 2.1, 3.1, 4.1, 5.1], [3.02, 3.03, 5.1], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]])
def test_it_does_not_matter_when_anyone_looks(hours: list[float]) -> None:
    with World() as world:
        busy(world)
        wanted = looked(world, [5.1])
    with World() as world:
        busy(world)
        assert looked(world, hours) == wanted


@pytest.mark.parametrize("after", [False, True])
def test_a_function_may_be_ended_at_any_call(after: bool) -> None:
    with World() as world:
        busy(world)
        wanted = looked(world, [5.1])
    killed, call = True, 0
    while killed:
        with World() as world:
            busy(world)
            world.fuse.left, world.fuse.after = call, after
            with contextlib.suppress(KilledError):
                world.look(5.1)
            killed, world.fuse.left = world.fuse.left is None, None
            state, messages, rows = looked(world, [5.1, 5.5])
            assert (state, rows) == (wanted[0], wanted[2]), call
            kinds = {one.removeprefix("This message may have been sent before.\n\n") for one in messages}
            assert kinds == set(wanted[1]), call
            assert len(messages) - sum(one.startswith("This message may") for one in messages) <= 1, call
            assert len({one["id"] for one in world.retrainings}) == 1, call
        call += 1
    assert call > 40


def test_of_two_functions_at_once_one_counts_and_notifies(world: World) -> None:
    drifted(world)
    other = World.look
    started = []

    def during() -> float:
        if not started:
            started.append(True)
            other(world, 6.1)
        return 900.0

    report = world.look(6.1, seconds_left=during)
    assert report["sentence"] == "Another look was faster."
    assert (len(world.messages), len(world.retrainings)) == (1, 1)


@pytest.mark.parametrize(("champion", "release", "records"), [("secondary", None, 50), ("primary", None, 0)])
def test_with_ab_tests_the_champion_is_watched(world: World, champion: str, release: int | None, records: int) -> None:
    record = Record(champion=replace(model(champion), model_package_arn=PACKAGE, since=START))
    world.s3.add(f"ab/{PIPELINE}/record.json", START, json.dumps(record.to_json()).encode())
    world.capture(0.5, slot="secondary")
    report = world.look(1.1, ab_test=True)
    assert (report["release"], report["features"][0]["records"]) == (release, records)


def test_a_champion_without_a_release_record_and_a_baseline_cannot_be_rolled_back_to(world: World) -> None:
    record = Record(champion=replace(model("primary"), model_package_arn=PACKAGE.replace("/4", "/5"), since=START))
    world.s3.add(f"ab/{PIPELINE}/record.json", START, json.dumps(record.to_json()).encode())
    sentence = world.look(1.1, ab_test=True)["sentence"]
    assert sentence.startswith("Release package-5 has no baseline")
    assert sentence.endswith("The next release has one.")


def test_the_release_of_the_champion_is_that_of_its_execution(world: World) -> None:
    record = Record(champion=replace(model("primary"), model_package_arn=PACKAGE, since=START, execution_id="e"))
    world.s3.add(f"ab/{PIPELINE}/record.json", START, json.dumps(record.to_json()).encode())
    assert world.look(1.1, ab_test=True)["release"] == 1


def test_only_the_variant_in_production_is_watched(world: World) -> None:
    world.capture(0.5, slot="secondary")
    assert world.look(1.1)["features"][0]["records"] == 0
    assert any(f"/{ENDPOINT}/primary/" in one["Prefix"] for one in world.s3.requests["ListObjectsV2"])


kills = st.none() | st.tuples(st.integers(0, 60), st.booleans())


@given(looks=st.lists(st.tuples(st.floats(0.2, 5.0), kills), max_size=6))
@settings(max_examples=25, deadline=None)
def test_neither_looks_nor_ends_of_functions_change_what_is_found(
    looks: list[tuple[float, tuple[int, bool] | None]],
) -> None:
    with World() as world:
        busy(world)
        for hours, kill in sorted(looks, key=lambda look: look[0]):
            world.fuse.left, world.fuse.after = kill or (None, False)
            with contextlib.suppress(KilledError):
                world.look(hours)
        world.fuse.left = None
        # A claim of a function that was ended is old an hour later.
        state, messages, rows = looked(world, [5.1, 6.05])
    with World() as world:
        busy(world)
        wanted = looked(world, [5.1, 6.05])
    assert (state, rows) == (wanted[0], wanted[2])
    assert [one for one in messages if not one.startswith("This message may")][:1] in ([], wanted[1])
    assert {one.removeprefix("This message may have been sent before.\n\n") for one in messages} == set(wanted[1])
