"""When people are notified; others have the alarms on the dead-letter queue (storage) and on lost events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import ABTest, Alarms, Algorithm, Approval, Cost, Existing

IMAGE = f"111122223333.dkr.ecr.us-east-1.amazonaws.com/app@sha256:{'0' * 64}"
TOPIC = "arn:aws:sns:us-east-1:111122223333:ml-approvals"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:lost"
FORMS: list[dict[str, Any]] = [
    {},
    {"algorithm": Algorithm.from_image(IMAGE)},
    {"approval": Approval(topic_arn=TOPIC)},
    {"existing": Existing(dead_letter_queue_arn=QUEUE)},
]


def of_executions(stack: Synthesized) -> dict[str, dict[str, Any]]:
    """Give the alarms on failed executions, by the name of the pipeline."""
    alarms = stack.all("aws_cloudwatch_metric_alarm").values()
    return {one["dimensions"]["PipelineName"]: one for one in alarms if one.get("namespace") == "AWS/CodePipeline"}


@pytest.mark.parametrize("options", FORMS)
def test_every_pipeline_has_an_alarm_on_its_failed_executions(options: dict[str, Any]) -> None:
    stack = synth(**options)
    alarms = of_executions(stack)
    assert alarms.keys() == {one["name"] for one in stack.all("aws_codepipeline").values()}
    for alarm in alarms.values():
        assert (alarm["metric_name"], alarm["statistic"], alarm["threshold"]) == ("FailedPipelineExecutions", "Sum", 0)
        # Without executions there are no metrics.
        assert alarm["treat_missing_data"] == "notBreaching"


@pytest.mark.parametrize("options", FORMS)
def test_an_alarm_notifies_the_approvers(options: dict[str, Any]) -> None:
    stack = synth(**options)
    made = [f"${{aws_sns_topic.{id_}.arn}}" for id_ in stack.all("aws_sns_topic")]
    for alarm in of_executions(stack).values():
        assert alarm["alarm_actions"] == (made or [TOPIC])


def test_its_message_names_the_pipeline_and_the_command_that_says_more() -> None:
    stack = synth()
    name = stack.pipeline.name
    alarms = of_executions(stack)
    assert f"the pipeline {name} failed" in alarms[name]["alarm_description"]
    assert f"`mlops status {name}`" in alarms[name]["alarm_description"]
    assert f"`mlops logs {name} build`" in alarms[f"{name}-image"]["alarm_description"]


def test_without_an_image_pipeline_there_is_no_alarm_on_it() -> None:
    assert synth(algorithm=Algorithm.from_image(IMAGE)).pipeline.alarms.failed_image_executions is None
    assert synth().pipeline.alarms.failed_image_executions is not None


def of_endpoint(stack: Synthesized) -> dict[str, dict[str, Any]]:
    """Give the alarms of the production endpoint, by name without the pipeline's."""
    alarms = [one for one in stack.all("aws_cloudwatch_metric_alarm").values() if "EndpointName" in str(one)]
    return {one["alarm_name"].removeprefix(f"{stack.pipeline.name}-"): one for one in alarms}


def queries(alarm: dict[str, Any]) -> dict[str, Any]:
    return {one["id"]: one.get("expression") or one["metric"] for one in alarm["metric_query"]}


def test_the_production_endpoint_is_watched_by_rate_and_by_percentile() -> None:
    stack = synth()
    alarms = of_endpoint(stack)
    assert alarms.keys() == {"server-errors-primary", "slow-responses-primary"}
    errors, slow = (queries(alarms[name]) for name in sorted(alarms))
    assert errors["value"] == "IF(requests >= 20, 100 * FILL(measured, 0) / requests, 0)"
    assert slow["value"] == "IF(requests >= 20, measured / 1000, 0)"
    assert (errors["measured"]["metric_name"], errors["measured"]["stat"]) == ("Invocation5XXErrors", "Sum")
    assert (slow["measured"]["metric_name"], slow["measured"]["stat"]) == ("ModelLatency", "p99")
    endpoint = {"EndpointName": stack.pipeline.production_endpoint, "VariantName": "primary"}
    for found in (errors, slow):
        assert {name: found[name]["dimensions"] for name in ("measured", "requests")} == {
            "measured": endpoint,
            "requests": endpoint,
        }
    assert [alarms[name]["threshold"] for name in sorted(alarms)] == [5, 2000]


def test_every_variant_has_alarms_of_its_own() -> None:
    names = of_endpoint(synth(ab_test=ABTest())).keys()
    assert names == {
        f"{what}-{variant}" for what in ("server-errors", "slow-responses") for variant in ("primary", "secondary")
    }


def test_limits_are_those_that_are_given() -> None:
    alarms = Alarms(max_server_error_percent=1.5, max_client_error_percent=20, max_latency_ms=None, min_requests=100)
    found = of_endpoint(synth(alarms=alarms))
    assert {name: one["threshold"] for name, one in found.items()} == {
        "server-errors-primary": 1.5,
        "client-errors-primary": 20,
    }
    assert all("requests >= 100" in queries(one)["value"] for one in found.values())
    assert queries(found["client-errors-primary"])["measured"]["metric_name"] == "Invocation4XXErrors"


def test_alarms_that_are_left_out_are_not_made() -> None:
    stack = synth(alarms=Alarms(max_server_error_percent=None, max_latency_ms=None, approval_reminder_percent=None))
    assert of_endpoint(stack) == {}
    assert "on_waiting" not in json.dumps(stack.all("aws_cloudwatch_event_rule"))


@pytest.mark.parametrize("options", [{}, {"ab_test": ABTest()}, {"alarms": Alarms(max_client_error_percent=9)}])
def test_every_alarm_says_what_it_means_and_which_command_says_more(options: dict[str, Any]) -> None:
    stack = synth(**options)
    for alarm in stack.all("aws_cloudwatch_metric_alarm").values():
        told = alarm["alarm_description"]
        assert stack.pipeline.name in told
        assert "`mlops " in told or "dead-letters" in told
        assert len(told) <= 1024
        assert alarm["treat_missing_data"] == "notBreaching"
        assert alarm["alarm_actions"]


def test_the_function_is_invoked_when_the_production_stack_rolls_back_and_on_time() -> None:
    stack = synth(approval=Approval(timeout_in_minutes=600), alarms=Alarms(approval_reminder_percent=25))
    function = stack.one("aws_lambda_function", handler="notify_people.handler.handler")
    settings = function["environment"]["variables"]
    assert (settings["REMINDER_MINUTES"], settings["CHECK_MINUTES"]) == ("150", "15")
    rules = {one["name"].removeprefix(f"{stack.pipeline.name}-"): one for one in rules_of(stack)}
    detail = json.loads(rules["on-rollback"]["event_pattern"])["detail"]
    (stack_id,) = detail["stack-id"]
    assert stack_id["prefix"].endswith(f":stack/{stack.pipeline.production_endpoint}/")
    assert detail["status-details"]["status"] == ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
    assert rules["on-waiting"]["schedule_expression"] == "cron(0/15 * * * ? *)"


def rules_of(stack: Synthesized) -> list[dict[str, Any]]:
    return list(stack.all("aws_cloudwatch_event_rule").values())


def test_the_topic_takes_messages_from_the_alarms_of_this_account_only() -> None:
    (statement,) = json.loads(synth().one("aws_sns_topic")["policy"])["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    (account,) = statement["Condition"]["StringEquals"].values()
    assert "aws_caller_identity" in account


def test_a_budget_counts_the_endpoints_of_the_pipeline() -> None:
    prices = {"ml.m5.large": 0.1}
    stack = synth(cost=Cost(max_monthly_usd=900, budget_emails=["lead@example.org"], hourly_prices_usd=prices))
    budget = stack.one("aws_budgets_budget")
    assert (budget["limit_amount"], budget["limit_unit"], budget["time_unit"]) == ("900.00", "USD", "MONTHLY")
    (tagged,) = budget["cost_filter"]
    assert tagged == {"name": "TagKeyValue", "values": [f"user:mlops:pipeline${stack.pipeline.name}"]}
    assert [(one["notification_type"], one["threshold"]) for one in budget["notification"]] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]
    assert all(one["subscriber_email_addresses"] == ["lead@example.org"] for one in budget["notification"])
    assert synth(cost=Cost(max_monthly_usd=900, hourly_prices_usd=prices)).all("aws_budgets_budget") == {}
