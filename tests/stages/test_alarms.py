"""The alarms on executions that failed; ``test_storage.py`` has the one on the dead-letter queue."""

from __future__ import annotations

from typing import Any

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import Algorithm, Approval, Existing

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
    return {one["dimensions"]["PipelineName"]: one for one in alarms if one["namespace"] == "AWS/CodePipeline"}


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
