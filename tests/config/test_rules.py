"""Every rule reports field, rule, value and remedy; all at once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from configuration import CONTAINER, GOOD, NUMBER_TOKEN, STRING_TOKEN, problems
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs import (
    Algorithm,
    Approval,
    Autoscaling,
    ConfigError,
    DataCapture,
    Dataset,
    Endpoint,
    Evaluation,
    EvaluationJob,
    Notebook,
    Rollout,
    SmokeTest,
    Threshold,
    Training,
)
from mlops_constructs.config import PipelineConfig

if TYPE_CHECKING:
    from pathlib import Path

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ml-approvals"


def evaluated(**options: Any) -> Evaluation:
    """Judge by a metric that only the evaluation program reports."""
    return Evaluation(metric="f1", job=EvaluationJob(**options))


def test_defaults_have_no_problem() -> None:
    assert problems() == []


def test_all_problems_are_reported_together() -> None:
    found = problems(
        training=Training(instance_type="m5.large", instance_count=0),
        approval=Approval(timeout_in_minutes=1),
        name_prefix="Bad_Name",
    )
    assert [line.partition(":")[0] for line in found] == [
        "training.instance_type",
        "training.instance_count",
        "approval.timeout_in_minutes",
        "name_prefix",
    ]


@pytest.mark.parametrize("duplicates", ["refuse", "skip"])
def test_retraining_on_a_new_image_needs_that_data_may_come_twice(duplicates: Any) -> None:
    algorithm = Algorithm.from_directory(CONTAINER, retrain_on_new_image=True)
    (line,) = problems(algorithm=algorithm, dataset=Dataset(duplicates=duplicates))
    assert line.startswith("dataset.duplicates: must be 'allow' with algorithm.retrain_on_new_image")
    assert problems(dataset=Dataset(duplicates=duplicates)) == []
    assert problems(algorithm=algorithm) == []


def test_a_message_has_field_rule_value_and_remedy() -> None:
    assert problems(training=Training(instance_type="m5.large")) == [
        "training.instance_type: must look like 'ml.<family>.<size>', got 'm5.large'; use for example 'ml.m5.large'"
    ]


def test_the_error_counts_the_problems_and_names_the_construct() -> None:
    with pytest.raises(ConfigError, match=r"^MLOpsPipeline has 2 problems:\n  training\.volume_size_in_gb"):
        PipelineConfig(**{**GOOD, "training": Training(volume_size_in_gb=0, max_runtime_in_seconds=1)})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dataset": Dataset(prefix="no-slash")}, "dataset.prefix"),
        ({"dataset": Dataset(prefix="data/mine/")}, "dataset.prefix"),
        ({"dataset": Dataset(max_megabytes=0)}, "dataset.max_megabytes"),
        ({"training": Training(max_runtime_in_seconds=28 * 86_400 + 1)}, "training.max_runtime_in_seconds"),
        ({"training": Training(hyperparameters={"x": [1]})}, "training.hyperparameters['x']"),  # type: ignore[dict-item]
        ({"training": Training(hyperparameters={"x": "y" * 2501})}, "training.hyperparameters['x']"),
        ({"training": Training(hyperparameters={str(n): n for n in range(101)})}, "training.hyperparameters"),
        ({"training": Training(environment={"": "x"})}, "training.environment['']"),
        (
            {"production": Endpoint(initial_instance_count=1, rollout=Rollout.canary())},
            "production.initial_instance_count",
        ),
        (
            {"production": Endpoint(initial_instance_count=1, autoscaling=Autoscaling())},
            "production.initial_instance_count",
        ),
        (
            {"production": Endpoint(instance_type="ml.t2.medium", initial_instance_count=2, autoscaling=Autoscaling())},
            "production.instance_type",
        ),
        ({"dev": Endpoint(autoscaling=Autoscaling(min_capacity=0, max_capacity=1))}, "dev.autoscaling.min_capacity"),
        ({"dev": Endpoint(data_capture=DataCapture(sampling_percentage=0))}, "dev.data_capture.sampling_percentage"),
        ({"dev": Endpoint(smoke_test=SmokeTest(min_accuracy=1.1))}, "dev.smoke_test.min_accuracy"),
        (
            {"dev": Endpoint(initial_instance_count=2, rollout=Rollout.linear(step_percent=5))},
            "dev.rollout.step_percent",
        ),
        ({"dev": Endpoint(smoke_test=SmokeTest(max_rmse=9.0))}, "dev.smoke_test.min_accuracy"),
        ({"dev": Endpoint(smoke_test=SmokeTest(confidence_level=1.0))}, "dev.smoke_test.confidence_level"),
        (
            {"production": Endpoint.for_production(smoke_test=SmokeTest(confidence_level=0.95))},
            "production.smoke_test.confidence_level",
        ),
        ({"dev": Endpoint(smoke_test=SmokeTest(relative_tolerance=-1.0))}, "dev.smoke_test.relative_tolerance"),
        ({"evaluation": Evaluation(metric="f1")}, "evaluation.metric"),
        ({"evaluation": Evaluation(metric=None, beat_production_by=None)}, "evaluation.min_value"),
        ({"evaluation": Evaluation(confidence_level=1.0)}, "evaluation.confidence_level"),
        ({"evaluation": Evaluation(metric="validation:rmse", min_value=None)}, "evaluation.objective_type"),
        ({"evaluation": Evaluation(metric="validation:mae", min_value=0.1)}, "evaluation.objective_type"),
        ({"evaluation": Evaluation(objective_type="lower")}, "evaluation.objective_type"),  # type: ignore[arg-type]
        ({"evaluation": Evaluation(min_value=None, beat_production_by=None)}, "evaluation.min_value"),
        ({"evaluation": Evaluation(min_value=0.9, max_value=0.1)}, "evaluation.min_value"),
        ({"evaluation": Evaluation(metric="precision@{5}")}, "evaluation.metric"),
        ({"evaluation": Evaluation(rules=[Threshold(metric="f1", min_value=0.5)])}, "evaluation.rules[0].metric"),
        ({"evaluation": Evaluation(rules=[Threshold(metric="train:accuracy")])}, "evaluation.rules[0].min_value"),
        (
            {"evaluation": Evaluation(rules=[Threshold(metric="validation:accuracy", max_value=1.0)])},
            "evaluation.rules[0].metric",
        ),
        (
            {"evaluation": Evaluation(rules=[Threshold(metric=f"m{n}", min_value=0.5) for n in range(40)])},
            "evaluation.rules",
        ),
        ({"evaluation": evaluated(channel="train")}, "evaluation.job.channel"),
        ({"evaluation": evaluated(channel="model")}, "evaluation.job.channel"),
        ({"evaluation": evaluated(channel="a/b")}, "evaluation.job.channel"),
        ({"evaluation": evaluated(entrypoint="python judge.py")}, "evaluation.job.entrypoint"),
        ({"evaluation": evaluated(entrypoint=[])}, "evaluation.job.entrypoint"),
        ({"evaluation": evaluated(entrypoint=["x" * 257])}, "evaluation.job.entrypoint[0]"),
        ({"evaluation": evaluated(instance_type="m5.large")}, "evaluation.job.instance_type"),
        ({"evaluation": evaluated(volume_size_in_gb=0)}, "evaluation.job.volume_size_in_gb"),
        (
            {"evaluation": evaluated(max_runtime_in_seconds=23 * 3600 + 1)},
            "evaluation.job.max_runtime_in_seconds",
        ),
        ({"evaluation": evaluated(environment={"1A": "x"})}, "evaluation.job.environment['1A']"),
        ({"evaluation": evaluated(environment={"A": "x" * 257})}, "evaluation.job.environment['A']"),
        ({"evaluation": evaluated(environment={f"A{n}": "" for n in range(99)})}, "evaluation.job.environment"),
        ({"evaluation": evaluated(environment={"A": STRING_TOKEN})}, "evaluation.job.environment['A']"),
        ({"approval": Approval(emails=["nobody"])}, "approval.emails[0]"),
        ({"production": Endpoint(volume_size_in_gb=513)}, "production.volume_size_in_gb"),
        (
            {"production": Endpoint(volume_size_in_gb=50, instance_type="ml.m5d.large")},
            "production.volume_size_in_gb",
        ),
        (
            {"production": Endpoint(model_data_download_timeout_in_seconds=59)},
            "production.model_data_download_timeout_in_seconds",
        ),
        ({"approval": Approval(max_critical_findings=-1)}, "approval.max_critical_findings"),
        ({"approval": Approval(emails=["a@example.org", "a@example.org"])}, "approval.emails"),
        ({"approval": Approval(topic_arn="my-topic")}, "approval.topic_arn"),
        ({"approval": Approval(topic_arn=TOPIC, emails=["a@example.org"])}, "approval.emails"),
        ({"production": Endpoint(hourly_price_usd=-1.0)}, "production.hourly_price_usd"),
        ({"notebook": Notebook(subnet_id="subnet-1")}, "notebook.security_group_ids"),
        ({"notebook": Notebook(idle_timeout_in_minutes=5)}, "notebook.idle_timeout_in_minutes"),
        ({"name_prefix": "a" * 13}, "name_prefix"),
        ({"algorithm": Algorithm.from_image("no-tag")}, "algorithm.image_uri"),
        ({"algorithm": Algorithm()}, "algorithm.directory"),
    ],
)
def test_35_a_broken_rule_is_reported_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert field in [line.partition(": ")[0] for line in problems(**changes)]


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": Dataset(prefix="incoming/iris/")},
        {"training": Training(hyperparameters={"depth": 3, "rate": 0.1, "warm": True, "kind": "x"})},
        {"production": Endpoint(initial_instance_count=1, rollout=Rollout.all_at_once())},
        {"evaluation": Evaluation(metric="validation:log_loss", min_value=None, max_value=0.4)},
        {"evaluation": Evaluation.no_gate()},
        {"evaluation": Evaluation.for_regression()},
        {"evaluation": Evaluation(metric="validation:rmse", min_value=None, objective_type="Minimize")},
        {"evaluation": Evaluation.no_gate(job=EvaluationJob())},
        {"dev": Endpoint(smoke_test=SmokeTest(max_rmse=9.0, relative_tolerance=0.1))},
        {"dev": Endpoint(smoke_test=SmokeTest(confidence_level=0.95))},
        {"production": Endpoint.for_production(smoke_test=SmokeTest.for_regression(max_rmse=9.0))},
        {"evaluation": Evaluation(rules=[Threshold(metric="validation:log_loss", max_value=0.4)])},
        {"evaluation": evaluated(entrypoint=["python", "/opt/ml/code/judge.py"], environment={"MODE": "strict"})},
        {"evaluation": evaluated(entrypoint=["x" * 256] * 100, environment={f"A{n}": "x" * 256 for n in range(98)})},
        {"evaluation": evaluated(image_uri=STRING_TOKEN)},
        {"production": Endpoint(volume_size_in_gb=512, model_data_download_timeout_in_seconds=3600)},
        {"approval": Approval(max_critical_findings=None)},
        {"approval": Approval(topic_arn=TOPIC)},
        {"approval": Approval(topic_arn=STRING_TOKEN)},
        {"dev": Endpoint(hourly_price_usd=0.0)},
        {"notebook": Notebook(subnet_id="subnet-1", security_group_ids=["sg-1"])},
        {"notebook": None},
        {"name_prefix": "churn-2"},
        {"algorithm": Algorithm.from_image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/own@sha256:" + "0" * 64)},
        {"algorithm": Algorithm.from_image(STRING_TOKEN)},
    ],
)
def test_what_is_allowed_has_no_problem(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


def test_a_container_without_a_dockerfile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").touch()
    (line,) = problems(algorithm=Algorithm.from_directory(tmp_path))
    assert line.startswith("algorithm.directory: must contain a file 'Dockerfile'")


def test_a_container_needs_nothing_but_a_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    assert problems(algorithm=Algorithm.from_directory(tmp_path)) == []


def test_a_missing_container_folder_points_to_init(tmp_path: Path) -> None:
    (line,) = problems(algorithm=Algorithm.from_directory(tmp_path / "nothing"))
    assert "run `mlops init`" in line


@pytest.mark.parametrize(
    "training",
    [
        Training(instance_type=STRING_TOKEN),
        Training(volume_size_in_gb=NUMBER_TOKEN),  # type: ignore[arg-type]
        Training(environment={"A": STRING_TOKEN}),
    ],
)
def test_a_token_where_a_literal_is_judged_is_refused_by_name(training: Training) -> None:
    (line,) = problems(training=training)
    assert "must be known at synth" in line


def test_the_simple_form_of_a_gate_is_its_first_rule() -> None:
    loss = Threshold(metric="loss", max_value=0.4)
    assert Evaluation(metric="f1", min_value=0.9, rules=[loss]).thresholds == (
        Threshold(metric="f1", min_value=0.9, beat_production_by=0.0),
        loss,
    )


def test_configuration_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Training().instance_count = 2  # type: ignore[misc]


@given(st.text(max_size=40))
def test_any_name_prefix_is_accepted_by_the_documented_pattern_or_reported(prefix: str) -> None:
    import re

    accepted = problems(name_prefix=prefix) == []
    fits = len(prefix) <= 12 and not prefix.startswith(("aws", "ssm"))
    assert accepted == (fits and bool(re.fullmatch(r"[a-z](?:-?[a-z0-9])*", prefix)))


@given(count=st.integers(-5, 1200), low=st.integers(-2, 1100), high=st.integers(-2, 1100))
def test_35_accepted_counts_always_fit_autoscaling(count: int, low: int, high: int) -> None:
    production = Endpoint(initial_instance_count=count, autoscaling=Autoscaling(min_capacity=low, max_capacity=high))
    if problems(production=production) == []:
        assert 1 <= low <= count <= high <= 1000
