"""Limits on cost: what they refuse at synth, and what they need to know."""

from __future__ import annotations

from typing import Any

import cdktf
import pytest
from configuration import CONTAINER, NUMBER_TOKEN, problems
from synthesis import new_stack, synth

from mlops_constructs import (
    Algorithm,
    ConfigError,
    Cost,
    Dataset,
    Endpoint,
    EndpointLimits,
    IntegerParameter,
    MLOpsPipeline,
    Requests,
    Training,
    TrainingLimits,
    Tuning,
)
from mlops_constructs.provider import AwsProvider

XLARGE = {"ml.m5.xlarge": 0.2}
SEARCH = Tuning(hyperparameter_ranges={"depth": IntegerParameter(1, 9)}, objective_metric_name="validation:accuracy")


def refused(stack: cdktf.TerraformStack | None = None, **options: Any) -> list[str]:
    """What is wrong with a pipeline at its place."""
    given = {"algorithm": Algorithm.from_directory(CONTAINER), "dataset": Dataset(), **options}
    with pytest.raises(ConfigError) as caught:
        MLOpsPipeline(new_stack() if stack is None else stack, "p", **given)
    return [str(problem) for problem in caught.value.problems]


def stack_in(region: str | None) -> cdktf.TerraformStack:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "s")
    AwsProvider(stack, "aws", **({} if region is None else {"region": region}))
    return stack


@pytest.mark.parametrize(
    ("cost", "field"),
    [
        (Cost(max_training_usd=0), "cost.max_training_usd"),
        (Cost(max_monthly_usd=-1), "cost.max_monthly_usd"),
        (Cost(max_training_usd=NUMBER_TOKEN), "cost.max_training_usd"),
        (Cost(hourly_prices_usd={"m5.large": 1}), "cost.hourly_prices_usd['m5.large']"),
        (Cost(hourly_prices_usd={"ml.m5.large": -1}), "cost.hourly_prices_usd['ml.m5.large']"),
    ],
)
def test_a_limit_or_price_that_is_none_is_refused(cost: Cost, field: str) -> None:
    assert [line.partition(": ")[0] for line in problems(cost=cost)] == [field]


def test_limits_and_prices_are_literals() -> None:
    assert problems(cost=Cost(max_training_usd=5, max_monthly_usd=500.5, hourly_prices_usd={"ml.m5.large": 0})) == []


def test_a_configuration_that_costs_more_than_its_limit_is_refused() -> None:
    assert refused(cost=Cost(max_training_usd=0.22)) == [
        "cost.max_training_usd: must be at least what a training may cost, 0.23 USD, got 0.22; increase it, or reduce"
        " max_runtime_in_seconds, the instances, or the jobs of the search"
    ]


def test_a_configuration_that_costs_its_limit_is_not() -> None:
    assert synth(cost=Cost(max_training_usd=0.23)).function_document("train_model")["max_training_usd"] == 0.23


@pytest.mark.parametrize(
    ("training", "tuning", "most"),
    [
        (Training(instance_count=3), None, "0.60"),
        (Training(max_runtime_in_seconds=7200), None, "0.40"),
        (Training(keep_alive_period_in_seconds=1800), None, "0.30"),
        (Training(), SEARCH, "2.00"),
    ],
)
def test_all_instances_all_jobs_and_all_time_count(training: Training, tuning: Tuning | None, most: str) -> None:
    (line,) = refused(training=training, tuning=tuning, cost=Cost(max_training_usd=0.2, hourly_prices_usd=XLARGE))
    assert f"what a training may cost, {most} USD" in line


def test_an_unknown_price_with_a_limit_is_refused_with_the_remedy() -> None:
    assert refused(training=Training(instance_type="ml.c5.xlarge"), cost=Cost(max_training_usd=9)) == [
        "cost.max_training_usd: needs the price of ml.c5.xlarge, which is unknown in us-east-1 (the table has some of"
        " us-east-1, ap-south-1, eu-west-1), got 9; give it: Cost(hourly_prices_usd={'ml.c5.xlarge': ...})"
    ]


def test_without_a_limit_an_unknown_price_is_only_unknown() -> None:
    document = synth(training=Training(instance_type="ml.c5.xlarge")).function_document("train_model")
    assert (document["hourly_prices_usd"], document["max_training_usd"]) == ({}, None)


def test_what_a_data_set_may_request_needs_a_price_too() -> None:
    limits = Requests(training=TrainingLimits(instance_types=["ml.p3.2xlarge"]))
    (line,) = refused(dataset=Dataset(requests=limits), cost=Cost(max_training_usd=9))
    assert "needs the price of ml.p3.2xlarge" in line
    limits = Requests(production=EndpointLimits(instance_types=["ml.c5.large"]))
    (line,) = refused(dataset=Dataset(requests=limits), cost=Cost(max_monthly_usd=900))
    assert "cost.max_monthly_usd: needs the price of ml.c5.large" in line


@pytest.mark.parametrize("region", [None, "${var.region}"])
def test_where_the_region_is_not_known_no_price_is(region: str | None) -> None:
    (line,) = refused(stack_in(region), cost=Cost(max_training_usd=9))
    assert "which is unknown in a region that is not known at synth" in line


def test_a_provider_with_an_alias_gives_no_prices() -> None:
    stack = stack_in(None)
    AwsProvider(stack, "other", alias="other", region="us-east-1")
    (line,) = refused(stack, cost=Cost(max_training_usd=9))
    assert "in a region that is not known at synth" in line


@pytest.mark.parametrize(
    ("production", "cost", "price", "source"),
    [
        (None, None, 0.115, "AWS price list (AmazonSageMaker), 2026-07-30"),
        (None, 0.1, 0.1, "the pipeline's configuration"),
        (0.09, 0.1, 0.09, "the pipeline's configuration"),
    ],
)
def test_the_price_of_the_endpoint_wins_then_yours_then_the_table(
    production: float | None, cost: float | None, price: float, source: str
) -> None:
    own = {} if cost is None else {"ml.m5.large": cost}
    stack = synth(production=Endpoint.for_production(hourly_price_usd=production), cost=Cost(hourly_prices_usd=own))
    document = stack.function_document("gather_evidence")
    assert document["hourly_prices_usd"]["production"] == {"ml.m5.large": price}
    assert document["price_sources"] == {"ml.m5.large": source}
