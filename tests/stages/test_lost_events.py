"""A lost event is told: each rule and each function that a rule invokes is looked at by an alarm."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from configuration import FULL
from synthesis import Synthesized, synth

from mlops_constructs import Dataset, Existing

QUEUE = "arn:aws:sqs:us-east-1:111122223333:lost"
FORMS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "everything": FULL,
    "existing queue": {"existing": Existing(dead_letter_queue_arn=QUEUE)},
    "on a schedule": {"dataset": Dataset(start_on_upload=False, schedule_expression="rate(7 days)")},
}
form = pytest.mark.parametrize("form", FORMS)
Watched = tuple[str, str, str]


@cache
def made(form: str) -> Synthesized:
    return synth(**FORMS[form])


def lost_events(stack: Synthesized) -> list[dict[str, Any]]:
    alarms = stack.all("aws_cloudwatch_metric_alarm").values()
    return [one for one in alarms if "-lost-events-" in one["alarm_name"]]


def metrics(alarm: dict[str, Any]) -> dict[str, Watched]:
    """Namespace, metric and dimension by the id of each query."""
    found = {one["id"]: one["metric"] for one in alarm["metric_query"] if "metric" in one}
    assert all((one["period"], one["stat"]) == (300, "Sum") for one in found.values())
    return {
        id_: (one["namespace"], one["metric_name"], "=".join(*one["dimensions"].items())) for id_, one in found.items()
    }


def must_be_watched(stack: Synthesized) -> set[Watched]:
    rules = stack.all("aws_cloudwatch_event_rule").values()
    permitted = stack.all("aws_lambda_permission").values()
    invoked = [one["function_name"] for one in permitted if one["principal"] == "events.amazonaws.com"]
    names = {f"${{aws_lambda_function.{id_}.arn}}": one for id_, one in stack.all("aws_lambda_function").items()}
    targets = [one["arn"] for one in stack.all("aws_cloudwatch_event_target").values()]
    assert {names[arn]["function_name"] for arn in targets if arn in names} == set(invoked)
    return {
        *(
            ("AWS/Events", "InvocationsFailedToBeSentToDlq", f"RuleName={one['name']}")
            for one in rules
            if one.get("state") != "DISABLED"
        ),
        *(("AWS/Lambda", "DeadLetterErrors", f"FunctionName={name}") for name in invoked),
    }


@form
def test_04_every_rule_and_every_function_that_a_rule_invokes_is_watched_once(form: str) -> None:
    stack = made(form)
    watched = [one for alarm in lost_events(stack) for one in metrics(alarm).values()]
    assert sorted(watched) == sorted(must_be_watched(stack))


@form
def test_no_alarm_has_more_metrics_than_cloudwatch_takes_and_all_of_them_are_added_up(form: str) -> None:
    alarms = lost_events(made(form))
    for alarm in alarms:
        ids = list(metrics(alarm))
        assert 1 <= len(ids) <= 10
        (total,) = [one for one in alarm["metric_query"] if one.get("return_data")]
        assert total["expression"] == " + ".join(f"FILL({id_}, 0)" for id_ in ids)
        assert (alarm["threshold"], alarm["comparison_operator"]) == (0, "GreaterThanThreshold")
    assert {len(metrics(alarm)) for alarm in alarms[:-1]} <= {10}
    assert [one["alarm_name"].rpartition("-")[2] for one in alarms] == [str(n) for n in range(1, len(alarms) + 1)]


@form
def test_its_message_names_the_queue_and_each_rule_and_function(form: str) -> None:
    stack = made(form)
    (queue,) = [one["name"] for one in stack.all("aws_sqs_queue").values()] or [QUEUE]
    for alarm in lost_events(stack):
        told = alarm["alarm_description"]
        assert f"the dead-letter queue {queue} did not take it either" in told
        assert len(told) <= 1024
        for _, _, dimension in metrics(alarm).values():
            name = dimension.partition("=")[2].removeprefix(f"{stack.pipeline.name}-")
            assert re.search(rf"(rules|functions|,) {re.escape(name)}[,;.]", told), name


def test_a_rule_that_is_disabled_loses_nothing_and_costs_nothing() -> None:
    stack = made("on a schedule")
    (disabled,) = [one["name"] for one in stack.all("aws_cloudwatch_event_rule").values() if "state" in one]
    assert disabled == f"{stack.pipeline.name}-on-upload"
    assert disabled not in str(lost_events(stack))
    assert f"{stack.pipeline.name}-on-upload" in str(lost_events(made("defaults")))


def test_a_loss_is_told_when_its_metric_comes_late() -> None:
    for alarm in lost_events(made("defaults")):
        # Three attempts of 15 minutes each, and pauses of one and of two minutes.
        assert alarm["evaluation_periods"] * 300 >= (3 * 15 + 1 + 2) * 60
        assert alarm["datapoints_to_alarm"] == 1


def test_they_are_shown_with_the_other_alarms() -> None:
    alarms = made("defaults").pipeline.alarms
    assert len(alarms.lost_events) == 2
    assert alarms.all[-2:] == alarms.lost_events
