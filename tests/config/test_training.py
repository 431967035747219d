"""Training, its search and its network: every rule is said at synth, and what AWS takes is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from configuration import problems
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs import (
    CategoricalParameter,
    Checkpoints,
    ContinuousParameter,
    Hyperband,
    IntegerParameter,
    Network,
    Retry,
    Spot,
    Training,
    Tuning,
)

CONTAINER = Path(__file__).resolve().parents[2] / "container"
STRING_TOKEN = "${TfToken[TOKEN.3]}"
LIST_TOKEN = ["#{TfToken[TOKEN.4]}"]
NUMBER_TOKEN = -1.8881545897087626e289 * 1e5
METRIC = "validation:accuracy"
DEPTH = {"depth": IntegerParameter(1, 10)}
DAY = 86_400


def tuning(**changes: Any) -> Tuning:
    return Tuning(**{"hyperparameter_ranges": DEPTH, "objective_metric_name": METRIC, **changes})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_runtime_in_seconds": 28 * DAY + 1}, "max_runtime_in_seconds"),
        ({"spot": Spot(max_wait_time_in_seconds=3599)}, "spot.max_wait_time_in_seconds"),
        ({"spot": Spot(max_wait_time_in_seconds=30 * DAY + 1)}, "spot.max_wait_time_in_seconds"),
        (
            {"spot": Spot(max_wait_time_in_seconds=3600), "keep_alive_period_in_seconds": 60},
            "keep_alive_period_in_seconds",
        ),
        ({"keep_alive_period_in_seconds": 3601}, "keep_alive_period_in_seconds"),
        ({"checkpoints": Checkpoints(local_path="checkpoints")}, "checkpoints.local_path"),
        ({"checkpoints": Checkpoints(local_path="/opt/ml/model/kept")}, "checkpoints.local_path"),
        ({"retry": Retry(max_retry_attempts=31)}, "retry.max_retry_attempts"),
        ({"retry": Retry(max_capacity_retries=9)}, "retry.max_capacity_retries"),
        (
            {"retry": Retry(max_capacity_retries=0, fallback_instance_types=["ml.m5.large"])},
            "retry.max_capacity_retries",
        ),
        ({"retry": Retry(fallback_instance_types=["m5.large"])}, "retry.fallback_instance_types[0]"),
        (
            {"retry": Retry(max_capacity_retries=8, fallback_instance_types=["ml.m5.large"] * 6)},
            "retry.fallback_instance_types",
        ),
        ({"hyperparameters": {"notes": "two\nlines"}}, "hyperparameters['notes']"),
        ({"input_mode": "Stream"}, "input_mode"),
        ({"distribution": "Sharded"}, "distribution"),
        ({"environment": {"MLOPS_EXECUTION_ID": "x"}}, "environment['MLOPS_EXECUTION_ID']"),
        ({"environment": {"WITH-HYPHEN": "x"}}, "environment['WITH-HYPHEN']"),
        ({"environment": {"LONG": "x" * 513}}, "environment['LONG']"),
        ({"environment": {f"A{n}": "" for n in range(98)}}, "environment"),
        ({"metric_definitions": {METRIC: "no group"}}, f"metric_definitions['{METRIC}']"),
        ({"metric_definitions": {METRIC: "("}}, f"metric_definitions['{METRIC}']"),
    ],
)
def test_22_a_broken_rule_of_training_is_reported_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert f"training.{field}" in [line.partition(": ")[0] for line in problems(training=Training(**changes))]


@pytest.mark.parametrize(
    "changes",
    [
        {"max_runtime_in_seconds": 28 * DAY},
        {"spot": Spot(max_wait_time_in_seconds=3600)},
        {"spot": Spot(max_wait_time_in_seconds=30 * DAY), "max_runtime_in_seconds": 28 * DAY},
        {"keep_alive_period_in_seconds": 3600},
        {"checkpoints": Checkpoints(local_path="/opt/ml/modelling")},
        {"retry": Retry(max_retry_attempts=0, max_capacity_retries=0)},
        {"retry": Retry(max_capacity_retries=1, fallback_instance_types=["ml.g5.xlarge"])},
        {"input_mode": "Pipe", "distribution": "ShardedByS3Key", "instance_count": 4},
        {"environment": {"LONG": "x" * 512}},
        {"enable_network_isolation": False, "encrypt_inter_container_traffic": False},
    ],
)
def test_what_sagemaker_trains_is_no_problem(changes: dict[str, Any]) -> None:
    assert problems(training=Training(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hyperparameter_ranges": {}}, "hyperparameter_ranges"),
        ({"hyperparameter_ranges": {f"p{n}": IntegerParameter(1, 2) for n in range(31)}}, "hyperparameter_ranges"),
        ({"hyperparameter_ranges": {"": IntegerParameter(1, 2)}}, "hyperparameter_ranges['']"),
        ({"hyperparameter_ranges": {"depth": (1, 10)}}, "hyperparameter_ranges['depth']"),
        ({"hyperparameter_ranges": {"depth": IntegerParameter(10, 1)}}, "hyperparameter_ranges['depth'].max_value"),
        ({"hyperparameter_ranges": {"depth": IntegerParameter(1, 2.5)}}, "hyperparameter_ranges['depth'].max_value"),  # type: ignore[arg-type]
        (
            {"hyperparameter_ranges": {"depth": IntegerParameter(0, 5, scaling_type="Logarithmic")}},
            "hyperparameter_ranges['depth'].min_value",
        ),
        (
            {"hyperparameter_ranges": {"depth": IntegerParameter(0, 5, scaling_type="ReverseLogarithmic")}},
            "hyperparameter_ranges['depth'].scaling_type",
        ),  # type: ignore[arg-type]
        (
            {"hyperparameter_ranges": {"rate": ContinuousParameter(0.1, float("nan"))}},
            "hyperparameter_ranges['rate'].max_value",
        ),
        (
            {"hyperparameter_ranges": {"rate": ContinuousParameter(0.5, 1.0, scaling_type="ReverseLogarithmic")}},
            "hyperparameter_ranges['rate'].max_value",
        ),
        ({"hyperparameter_ranges": {"kind": CategoricalParameter([])}}, "hyperparameter_ranges['kind'].values"),
        ({"hyperparameter_ranges": {"kind": CategoricalParameter("abc")}}, "hyperparameter_ranges['kind'].values"),
        ({"hyperparameter_ranges": {"kind": CategoricalParameter(["a", "a"])}}, "hyperparameter_ranges['kind'].values"),
        (
            {"hyperparameter_ranges": {"kind": CategoricalParameter(["x" * 257])}},
            "hyperparameter_ranges['kind'].values[0]",
        ),
        ({"objective_metric_name": "validation:recall"}, "objective_metric_name"),
        ({"objective_type": "maximize"}, "objective_type"),
        ({"strategy": "bayesian"}, "strategy"),
        ({"max_jobs": 751}, "max_jobs"),
        ({"strategy": "Random", "max_jobs": 10_001}, "max_jobs"),
        ({"max_jobs": 2, "max_parallel_jobs": 3}, "max_parallel_jobs"),
        ({"max_jobs": 200, "max_parallel_jobs": 101}, "max_parallel_jobs"),
        ({"max_runtime_in_seconds": 119}, "max_runtime_in_seconds"),
        ({"max_runtime_in_seconds": 30 * DAY + 1}, "max_runtime_in_seconds"),
        ({"random_seed": -1}, "random_seed"),
        ({"strategy": "Hyperband"}, "hyperband"),
        (
            {"strategy": "Hyperband", "hyperband": Hyperband(min_resource=5, max_resource=4)},
            "hyperband.max_resource",
        ),
        ({"hyperband": Hyperband(min_resource=1, max_resource=4)}, "hyperband"),
        (
            {
                "strategy": "Hyperband",
                "hyperband": Hyperband(min_resource=1, max_resource=4),
                "early_stopping_type": "Auto",
            },
            "early_stopping_type",
        ),
        ({"strategy": "Grid"}, "hyperparameter_ranges['depth']"),
        (
            {
                "strategy": "Grid",
                "hyperparameter_ranges": {"kind": CategoricalParameter(["a", "b", "c"])},
                "max_jobs": 2,
            },
            "max_jobs",
        ),
        (
            {"strategy": "Grid", "hyperparameter_ranges": {f"k{n}": CategoricalParameter(range(10)) for n in range(3)}},
            "hyperparameter_ranges",
        ),
    ],
)
def test_a_broken_rule_of_tuning_is_reported_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert f"tuning.{field}" in [line.partition(": ")[0] for line in problems(tuning=tuning(**changes))]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective_type": "Minimize", "objective_metric_name": "validation:log_loss"},
        {"hyperparameter_ranges": {"rate": ContinuousParameter(0.0, 0.99, scaling_type="ReverseLogarithmic")}},
        {
            "hyperparameter_ranges": {
                "rate": ContinuousParameter(1e-5, 1, scaling_type="Logarithmic"),
                "depth": IntegerParameter(1, 9, scaling_type="Logarithmic"),
            }
        },
        {"strategy": "Random", "max_jobs": 10_000, "max_parallel_jobs": 100},
        {"strategy": "Hyperband", "hyperband": Hyperband(min_resource=1, max_resource=20_000)},
        {
            "strategy": "Grid",
            "hyperparameter_ranges": {
                "kind": CategoricalParameter(["a", "b"]),
                "warm": CategoricalParameter([True, False]),
            },
        },
        {"early_stopping_type": "Auto", "random_seed": 7, "max_runtime_in_seconds": 30 * DAY},
    ],
)
def test_what_sagemaker_searches_is_no_problem(changes: dict[str, Any]) -> None:
    assert problems(tuning=tuning(**changes)) == []


@pytest.mark.parametrize(
    ("training", "field"),
    [
        (Training(hyperparameters={"depth": 3}), "tuning.hyperparameter_ranges['depth']"),
        (Training(hyperparameters={f"p{n}": 1 for n in range(99)}), "tuning.hyperparameter_ranges"),
        (Training(environment={f"A{n}": "" for n in range(46)}), "tuning.hyperparameter_ranges"),
        (Training(keep_alive_period_in_seconds=60), "tuning.hyperparameter_ranges"),
        (
            Training(instance_type="ml.g5.xlarge", retry=Retry(fallback_instance_types=["ml.m5.xlarge"])),
            "training.retry.fallback_instance_types",
        ),
    ],
)
def test_what_does_not_go_with_a_search_is_reported(training: Training, field: str) -> None:
    assert field in [line.partition(": ")[0] for line in problems(training=training, tuning=tuning())]
    assert problems(training=training) == []


def test_instances_of_one_kind_of_disk_stand_in_for_each_other_in_a_search() -> None:
    training = Training(instance_type="ml.g5.xlarge", retry=Retry(fallback_instance_types=["ml.g4dn.xlarge"]))
    assert problems(training=training, tuning=tuning()) == []


def test_hyperband_takes_its_limit_from_the_epochs() -> None:
    training = Training(hyperparameters={"epochs": 50})
    assert problems(training=training, tuning=tuning(strategy="Hyperband")) == []


def test_a_grid_runs_every_combination() -> None:
    search = tuning(
        strategy="Grid",
        hyperparameter_ranges={"a": CategoricalParameter([1, 2, 3]), "b": CategoricalParameter([True, False])},
    )
    assert search.jobs == 6


@pytest.mark.parametrize(
    ("network", "field"),
    [
        (Network(subnet_ids=[], security_group_ids=["sg-1"]), "network.subnet_ids"),
        (Network(subnet_ids=["subnet-1"] * 17, security_group_ids=["sg-1"]), "network.subnet_ids"),
        (Network(subnet_ids=["subnet-1"], security_group_ids=[]), "network.security_group_ids"),
        (Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"] * 6), "network.security_group_ids"),
        (Network(subnet_ids="subnet-1", security_group_ids=["sg-1"]), "network.subnet_ids"),
    ],
)
def test_a_broken_rule_of_the_network_is_reported_at_its_field(network: Network, field: str) -> None:
    assert [line.partition(": ")[0] for line in problems(network=network)] == [field]


@pytest.mark.parametrize(
    "network",
    [
        Network(subnet_ids=["subnet-1"] * 16, security_group_ids=["sg-1"] * 5),
        Network(subnet_ids=[STRING_TOKEN], security_group_ids=[STRING_TOKEN]),
        Network(subnet_ids=LIST_TOKEN, security_group_ids=LIST_TOKEN),
    ],
)
def test_a_network_may_be_references(network: Network) -> None:
    assert problems(network=network) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"training": Training(spot=Spot(max_wait_time_in_seconds=NUMBER_TOKEN))},  # type: ignore[arg-type]
        {"training": Training(retry=Retry(max_capacity_retries=NUMBER_TOKEN))},  # type: ignore[arg-type]
        {"training": Training(checkpoints=Checkpoints(local_path=STRING_TOKEN))},
        {"tuning": tuning(max_parallel_jobs=NUMBER_TOKEN)},
        {"tuning": tuning(hyperparameter_ranges={"depth": IntegerParameter(1, NUMBER_TOKEN)})},  # type: ignore[arg-type]
        {"tuning": tuning(hyperparameter_ranges={"kind": CategoricalParameter([STRING_TOKEN])})},
    ],
)
def test_a_token_where_a_literal_is_judged_is_refused_by_name(changes: dict[str, Any]) -> None:
    (line,) = problems(**changes)
    assert "must be known at synth" in line


def test_whatever_sagemaker_takes_is_accepted() -> None:
    full = Training(
        hyperparameters={f"h{n}": "x" * 2500 for n in range(100)},
        environment={f"E{n}": "x" * 512 for n in range(89)},
        metric_definitions={"validation:accuracy": "(.)", **{f"m{n}": f"({'x' * 498})" for n in range(39)}},
    )
    assert problems(training=full) == []


@given(low=st.integers(-5, 20), high=st.integers(-5, 20), scaling=st.sampled_from(["Auto", "Linear", "Logarithmic"]))
def test_an_accepted_range_is_one_that_can_be_searched(low: int, high: int, scaling: Any) -> None:
    if not list(IntegerParameter(low, high, scaling_type=scaling).problems()):
        assert low < high
        assert scaling != "Logarithmic" or low > 0
