"""Alarms start one execution, on new data, within the limits; what is not started is explained."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from lambdas.retrain_world import (
    AFTER,
    ARTIFACTS,
    BEFORE,
    DATA,
    DAY,
    FUNCTION,
    HOUR,
    OVERTAKEN,
    PIPELINE,
    TOPIC,
    Trouble,
    World,
    document,
)
from retrain.alarm import read_alarm
from retrain.handler import handler
from retrain.state import Intent, Need, State

from handler_kit.errors import ConfigurationError, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAITING = "waiting_for_new_data"
# The tenth call of an invocation with an alarm starts the execution; it makes fourteen.
START_CALL = 10


@pytest.fixture
def world() -> Iterator[World]:
    world = World().open()
    world.first_release()
    yield world
    world.close()


def decision(answer: dict[str, Any] | None) -> str:
    assert answer is not None
    return str(answer["decision"])


def test_an_alarm_starts_an_execution_on_the_newest_data_set(world: World) -> None:
    world.upload()
    newest = world.upload()
    answer = world.alarm()
    (execution,) = world.mine
    assert execution.version_id == newest
    assert answer is not None
    assert (answer["decision"], answer["execution_id"]) == ("started", execution.id)


def test_the_reason_is_kept_for_the_approver(world: World) -> None:
    version = world.upload("datasets/new.csv")
    world.alarm(features=["sepal_width"], sentence="sepal_width has\ndrifted.", id="a-1")
    why = world.why(world.mine[0])
    assert why["why"] == "sepal_width has drifted."
    assert (why["features"], why["reasons"], why["alarms"]) == (["sepal_width"], ["drift"], ["a-1"])
    assert why["dataset"] == {"key": "datasets/new.csv", "version_id": version}


def test_a_hundred_alarms_start_one_execution(world: World) -> None:
    world.upload()
    for number in range(100):
        world.alarm(features=[f"feature-{number}"])
    assert len(world.mine) == 1
    world.end("Failed")
    world.upload()
    assert decision(world.tick()) == "cooldown"
    assert len(world.mine) == 1


def test_when_an_execution_has_led_to_no_release_newer_data_is_tried_after_the_cooldown(world: World) -> None:
    world.upload()
    world.alarm()
    world.end("Failed")
    world.now += 2 * DAY
    assert decision(world.tick()) == WAITING
    world.upload()
    assert decision(world.tick()) == "started"
    assert len(world.mine) == 2


def test_when_an_execution_has_led_to_a_release_nothing_more_starts(world: World) -> None:
    world.upload()
    world.alarm()
    world.end("Succeeded")
    world.now += 2 * DAY
    world.upload()
    assert decision(world.tick()) == "answered"
    assert len(world.mine) == 1


def test_an_alarm_that_is_delivered_again_after_the_release_starts_nothing(world: World) -> None:
    world.upload()
    world.alarm()
    (_, event) = world.delivered[-1]
    world.end("Succeeded")
    world.upload()
    world.now += 2 * DAY
    answer = world.deliver(event)
    assert answer is not None
    assert len(world.mine) == 1
    assert answer["refused"] == "The alarm is about release 1, which release 2 has replaced."


def test_without_new_data_people_are_notified_once(world: World) -> None:
    assert [decision(world.alarm()) for _ in range(3)] == [WAITING] * 3
    assert decision(world.tick()) == WAITING
    (message,) = world.told
    assert message["TopicArn"] == TOPIC
    assert "petal_length has drifted." in message["Message"]
    assert "No data set is newer than what was trained on. Upload new data to datasets/" in message["Message"]


def test_what_waits_for_data_starts_when_it_comes(world: World) -> None:
    world.alarm()
    version = world.upload()
    assert decision(world.invoke({"source": "aws.s3"})) == "started"
    assert world.mine[0].version_id == version


def test_data_that_an_execution_has_taken_is_not_new(world: World) -> None:
    world.start(world.upload())
    world.end("Failed")
    assert decision(world.alarm()) == WAITING


def test_data_older_than_what_was_trained_on_is_not_new(world: World) -> None:
    world.upload()
    world.now += 10
    world.start(world.upload())
    world.end("Failed")
    assert decision(world.alarm()) == WAITING


def test_data_that_was_trained_on_and_deleted_does_not_make_older_data_new(world: World) -> None:
    world.upload()
    world.now += 10
    version = world.upload()
    world.now += 10
    world.start(version)
    world.end("Failed")
    world.versions = [one for one in world.versions if one["VersionId"] != version]
    assert decision(world.alarm()) == WAITING


def test_the_newest_release_counts_when_the_history_has_ended(world: World) -> None:
    world.executions.clear()
    assert decision(world.alarm()) == WAITING


@pytest.mark.parametrize(
    ("key", "body"), [("datasets/", b""), ("datasets/a.csv.contract.json", b"{}"), ("elsewhere/a.csv", b"1")]
)
def test_what_is_no_data_set_is_not_new_data(world: World, key: str, body: bytes) -> None:
    world.upload(key, body)
    assert decision(world.alarm()) == WAITING


def test_a_suffix_is_kept_to(world: World) -> None:
    world.document = document(suffix=".csv")
    world.upload("datasets/notes.txt")
    assert decision(world.alarm()) == WAITING
    world.upload("datasets/a.csv")
    assert decision(world.tick()) == "started"


def test_so_many_data_sets_must_be_new(world: World) -> None:
    world.document = document(min_new_datasets=2)
    world.upload()
    answer = world.alarm()
    assert answer is not None
    assert answer["reason"].startswith("1 data set is newer than what was trained on, 2 are needed.")
    world.upload()
    assert decision(world.tick()) == "started"


def test_where_uploads_start_executions_themselves_an_upload_is_left_to_do_so(world: World) -> None:
    world.document = document(start_on_upload=True)
    world.upload()
    answer = world.alarm()
    assert answer is not None
    assert answer["reason"].endswith("its upload starts an execution.")
    # EventBridge has given up by now.
    world.now += 25 * HOUR
    assert decision(world.tick()) == "started"


def test_nothing_starts_beside_an_execution_that_waits_for_approval(world: World) -> None:
    world.start(world.upload())
    world.now += 10
    world.upload()
    assert decision(world.alarm()) == "in_progress"
    world.end("Failed")
    assert decision(world.tick()) == "started"


def test_a_release_answers_the_alarms_before_it(world: World) -> None:
    world.start(world.upload())
    world.now += 10
    world.upload()
    world.alarm()
    world.end("Succeeded")
    assert decision(world.tick()) == "answered"
    assert decision(world.tick()) == "nothing"
    assert world.mine == []


def test_an_alarm_about_an_older_release_is_refused(world: World) -> None:
    world.upload()
    answer = world.alarm(release=0)
    assert answer is not None
    assert answer["refused"] == "The alarm is about release 0, which release 1 has replaced."
    assert world.mine == []


def test_in_an_ab_test_the_champion_is_not_the_newest_release(world: World) -> None:
    world.document = document(ab_test=True)
    world.upload()
    assert decision(world.alarm(release=0)) == "started"


def test_the_cooldown_holds_for_the_next_release_too(world: World) -> None:
    world.upload()
    world.alarm()
    world.end("Succeeded")
    world.now += 10
    world.upload()
    answer = world.alarm()
    assert answer is not None
    assert answer["reason"].endswith("the next may start at 2026-11-28 17:00 UTC (cooldown_in_hours).")
    assert decision(answer) == "cooldown"
    world.now += DAY
    assert decision(world.tick()) == "started"


def test_the_ceiling_holds_until_the_month_ends(world: World) -> None:
    world.document = document(max_executions_per_month=1, cooldown_in_hours=1.0)
    world.upload()
    world.alarm()
    world.end("Failed")
    world.now += 3 * HOUR
    world.upload()
    assert decision(world.alarm()) == "ceiling"
    (message,) = world.told
    assert message["Message"].endswith("no more may start in it (max_executions_per_month).")
    world.now += 3 * DAY
    assert decision(world.tick()) == "ceiling"
    world.now = datetime(2026, 12, 1, 0, 0, 1, tzinfo=timezone.utc).timestamp()
    assert decision(world.tick()) == "started"


def test_a_kind_of_alarm_that_is_not_chosen_starts_nothing(world: World) -> None:
    world.upload()
    answer = world.alarm(reason="estimated_quality")
    assert answer is not None
    assert answer["refused"] == "Alarms of the kind estimated_quality start no execution of this pipeline."
    assert world.mine == []


def test_every_decision_is_a_record(world: World) -> None:
    world.alarm(id="first")
    world.upload()
    world.alarm(id="second")
    assert [(one["about"], one["decision"]) for one in world.decisions()] == [("first", WAITING), ("second", "started")]
    assert world.decisions()[1]["execution_id"] == world.mine[0].id


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
@pytest.mark.parametrize("nth", range(1, 15))
def test_a_function_that_ends_between_any_two_calls_starts_one_execution(world: World, mode: str, nth: int) -> None:
    world.upload()
    world.alarm(trouble=Trouble(mode, nth))
    (_, event) = world.delivered[-1]
    # Lambda tries twice more.
    world.now += 60
    world.deliver(event)
    world.now += 120
    world.deliver(event)
    (execution,) = world.mine
    assert world.why(execution)["features"] == ["petal_length"]
    assert world.broken() == []


@pytest.mark.parametrize("minutes", [1, 30, 600])
def test_a_started_execution_is_found_in_the_queue_without_its_data_set(world: World, minutes: int) -> None:
    world.upload()

    def start_another() -> None:
        # Not to be seen by a function that has decided already.
        world.start(world.versions[0]["VersionId"])

    world.alarm(trouble=Trouble(OVERTAKEN, START_CALL, lambda: start_another()))
    assert [one.has_revision for one in world.executions] == [True, True, False]
    forget_the_end(world)
    world.now += minutes * 60
    assert decision(world.tick()) == "started"
    assert len(world.mine) == 1


def forget_the_end(world: World) -> None:
    """As if the function had ended after it started the execution."""
    key = f"retraining/{PIPELINE}/state.json"
    state = State.from_json(json.loads(world.objects[key][0]))
    last, need = state.starts[-1], Need(world.now, 1, ("alarm",), ("drift",), ("petal_length",), ("It has drifted.",))
    intent = Intent("datasets/2.csv", last.version_id, last.uploaded, last.reserved, need)
    before = State(need=state.need, intent=intent, starts=state.starts[:-1])
    world.objects[key] = (json.dumps(before.to_json()).encode(), '"before"')


def test_what_was_not_started_for_long_is_decided_again(world: World) -> None:
    world.upload()
    world.alarm(trouble=Trouble(BEFORE, START_CALL))
    assert world.mine == []
    world.start(world.versions[-1]["VersionId"])
    world.now += HOUR
    world.end("Failed")
    newest = world.upload()
    world.now += 60
    assert decision(world.tick()) == "started"
    assert [one.version_id for one in world.mine] == [newest]


def test_overlapping_invocations_start_one_execution(world: World) -> None:
    world.upload()
    for nth in range(1, 15):
        world.alarm(trouble=Trouble(OVERTAKEN, nth, world.alarm))
    assert len(world.mine) == 1
    assert world.broken() == []


def test_overlapping_invocations_notify_people_once(world: World) -> None:
    for nth in range(1, 15):
        world.alarm(trouble=Trouble(OVERTAKEN, nth, world.alarm))
    assert len(world.told) == 1


def test_people_are_notified_although_the_function_ended_before(world: World) -> None:
    for nth in range(1, 15):
        world.told.clear()
        world.objects.pop(f"retraining/{PIPELINE}/state.json", None)
        world.alarm(trouble=Trouble(BEFORE, nth))
        world.now += HOUR
        world.alarm()
        assert len(world.told) in (1, 2)


def test_a_broken_state_is_named(world: World) -> None:
    world.objects[f"retraining/{PIPELINE}/state.json"] = (b"[]", '"e"')
    with pytest.raises(StepError, match=f"s3://{ARTIFACTS}/retraining/{PIPELINE}/state.json is not the state"):
        world.tick()


def test_a_release_record_that_cannot_be_read_stops_nothing(world: World) -> None:
    world.objects[f"releases/{PIPELINE}/1.json"] = (b"no json", '"e"')
    world.upload()
    assert decision(world.alarm()) == "started"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": ""}, "id: must be a text"),
        ({"sentence": None}, "sentence: must be a text"),
        ({"reason": "mood"}, "reason: must be one of drift, quality, estimated_quality"),
        ({"pipeline": "other"}, "pipeline: must be iris-1a2b3c, got 'other'"),
        ({"features": "a"}, "features: must be a list of names"),
        ({"features": [1]}, "features: must be a list of names"),
    ],
)
def test_a_malformed_alarm_is_refused(change: dict[str, Any], problem: str) -> None:
    event = {"id": "a", "reason": "drift", "pipeline": PIPELINE, "features": [], "sentence": "s", **change}
    with pytest.raises(ConfigurationError, match=problem):
        read_alarm(event, PIPELINE)


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="neither an alarm nor an event"):
        read_alarm([], PIPELINE)


@pytest.mark.parametrize(
    ("release", "number"),
    [(7, 7), ("7", 7), ("arn:aws:sagemaker:us-east-1:1:model-package/iris/1", None), (None, None)],
)
def test_a_champion_without_a_record_has_no_number(release: object, number: int | None) -> None:
    event = {"id": "a", "reason": "drift", "pipeline": PIPELINE, "sentence": "s", "release": release}
    alarm = read_alarm(event, PIPELINE)
    assert alarm is not None
    assert alarm.release == number


def test_the_handler_reads_settings_and_document(
    world: World,
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_env({"pipeline": PIPELINE, "data_bucket": DATA, "artifact_bucket": ARTIFACTS, "topic_arn": TOPIC})
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
    write_document(vars(document()))
    with world.process():
        assert handler({"source": "aws.events"}, None)["decision"] == "nothing"
