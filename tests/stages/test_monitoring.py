"""The functions that watch production: what they may do, when they run, and where the pipeline makes the baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from synthesis import CONTAINER, Synthesized, document_of, new_stack, synth
from watch_traffic.publish import NAMESPACE

from mlops_constructs import (
    ABTest,
    Algorithm,
    Dataset,
    Evaluation,
    EvaluationJob,
    MLOpsPipeline,
    Monitoring,
)
from mlops_constructs._aws.topic import Topic
from mlops_constructs.stages.monitoring import stage


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth(monitoring=Monitoring(looks_every_minutes=15))


def statements(stack: Synthesized, purpose: str) -> list[dict[str, Any]]:
    policies = stack.all("aws_iam_role_policy")
    (policy,) = (one["policy"] for name, one in policies.items() if f"monitoring_{purpose}" in name)
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def allowed(stack: Synthesized, purpose: str) -> set[str]:
    actions = (one["Action"] for one in statements(stack, purpose))
    return {name for one in actions for name in ([one] if isinstance(one, str) else one)}


def dev_actions(stack: Synthesized) -> list[dict[str, Any]]:
    (pipeline,) = (one for one in stack.all("aws_codepipeline").values() if "image" not in one["name"])
    (found,) = (one["action"] for one in pipeline["stage"] if one["name"] == "DeployDev")
    return list(found)


def test_the_default_pipeline_has_no_watch() -> None:
    plain = synth()
    assert not [name for name in plain.all("aws_lambda_function") if "monitoring" in name]
    assert "Baseline" not in [one["name"] for one in dev_actions(plain)]


def test_the_baseline_is_made_after_the_smoke_test_of_dev(stack: Synthesized) -> None:
    actions = dev_actions(stack)
    assert [one["name"] for one in sorted(actions, key=lambda one: one["run_order"])][-2:] == ["SmokeTest", "Baseline"]
    orders = {one["name"]: one["run_order"] for one in actions}
    assert orders["Baseline"] == orders["SmokeTest"] + 1
    assert actions[-1]["configuration"]["FunctionName"].endswith("-make-baseline")


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (15, "rate(15 minutes)")])
def test_the_schedule_is_that_of_the_looks(minutes: int, rate: str) -> None:
    rules = synth(monitoring=Monitoring(looks_every_minutes=minutes)).all("aws_cloudwatch_event_rule").values()
    assert [one["schedule_expression"] for one in rules if "watch" in one["name"]] == [rate]


def test_each_function_may_do_only_its_own(stack: Synthesized) -> None:
    watch, make = allowed(stack, "watch_traffic"), allowed(stack, "make_baseline")
    assert watch & {"sagemaker:InvokeEndpoint", "codepipeline:PutJobSuccessResult", "lambda:InvokeFunction"} == set()
    assert make & {"sns:Publish", "cloudwatch:PutMetricData"} == set()
    assert {"sns:Publish", "cloudwatch:PutMetricData"} <= watch
    (metrics,) = (one for one in statements(stack, "watch_traffic") if one["Action"] == "cloudwatch:PutMetricData")
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}


def test_the_function_that_retrains_may_be_invoked_and_no_other() -> None:
    stack = new_stack()
    pipeline = MLOpsPipeline(
        stack, "iris", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset(), monitoring=Monitoring()
    )
    made = stage.MonitoringStage(
        stack,
        "again",
        config=Monitoring(),
        env=replace(pipeline._env, name="again"),
        endpoint="again-production",
        dev_endpoint="again-dev",
        held_out_channel=None,
        accept="text/csv",
        max_bytes=1,
        ab_test=False,
        topic=Topic("arn:aws:sns:us-east-1:123456789012:people", is_ours=True),
        retrain=pipeline.training.train_model,
    )
    text = document_of(stack)["resource"]["aws_iam_role_policy"]
    (policy,) = (one["policy"] for name, one in text.items() if name.startswith("again_watch_traffic_role"))
    invoked = [one for one in json.loads(policy)["Statement"] if one["Action"] == "lambda:InvokeFunction"]
    assert ["train_model_function" in one["Resource"] for one in invoked] == [True], invoked
    assert made.watch_traffic.name == "again-watch-traffic"


def test_without_predictions_dev_may_not_be_invoked(stack: Synthesized) -> None:
    without = synth(monitoring=Monitoring(predictions=False))
    assert "sagemaker:InvokeEndpoint" in allowed(stack, "make_baseline")
    assert "sagemaker:InvokeEndpoint" not in allowed(without, "make_baseline")


def test_the_namespace_is_the_functions() -> None:
    assert stage.NAMESPACE == NAMESPACE


@pytest.mark.parametrize(("ab_test", "record"), [(None, False), (ABTest(), True)])
def test_the_record_of_ab_tests_is_read_where_there_are_any(ab_test: ABTest | None, record: bool) -> None:
    made = synth(monitoring=Monitoring(), ab_test=ab_test)
    assert ("record.json" in json.dumps(statements(made, "watch_traffic"))) == record


def test_the_held_out_channel_comes_first() -> None:
    made = synth(
        monitoring=Monitoring(), evaluation=Evaluation(metric="accuracy", job=EvaluationJob(channel="held-out"))
    )
    assert made.pipeline.monitoring is not None
    assert made.pipeline.monitoring._document["channels"] == ["held-out", "validation", "test"]
