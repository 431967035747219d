"""Modes of serving: what is accepted, and every combination that AWS excludes, with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from configuration import found, problems, problems_of
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs import (
    ABTest,
    AsyncInferenceConfig,
    Autoscaling,
    Cost,
    DataCapture,
    Dataset,
    Endpoint,
    EndpointLimits,
    Monitoring,
    Network,
    Requests,
    Rollout,
    ServerlessConfig,
    SmokeTest,
)
from mlops_constructs.config.serving import MEMORY_SIZES_IN_MB

NETWORK = Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"])
TOPIC = "arn:aws:sns:us-east-1:123456789012:answers"


@pytest.mark.parametrize(
    ("endpoint", "mode"),
    [
        (Endpoint(), "real-time"),
        (Endpoint.for_production(), "real-time"),
        (Endpoint.serverless(), "serverless"),
        (Endpoint.asynchronous(), "asynchronous"),
    ],
)
def test_each_way_makes_a_valid_endpoint_of_its_mode(endpoint: Endpoint, mode: str) -> None:
    assert (endpoint.mode, problems_of(endpoint)) == (mode, [])
    assert problems(dev=endpoint, production=endpoint) == []


@given(st.integers(0, 7000))
def test_only_whole_gigabytes_of_memory_are_accepted(memory: int) -> None:
    accepted = problems_of(ServerlessConfig(memory_size_in_mb=memory)) == []
    assert accepted is (memory in MEMORY_SIZES_IN_MB)


@given(most=st.integers(-5, 300), kept=st.integers(-5, 300))
def test_concurrency_is_within_the_limits_of_aws(most: int, kept: int) -> None:
    accepted = problems_of(ServerlessConfig(max_concurrency=most, provisioned_concurrency=kept)) == []
    assert accepted is (1 <= kept <= most <= 200)


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        ("instance_type", "ml.c5.large", "no instances"),
        ("initial_instance_count", 2, "no instances"),
        ("autoscaling", Autoscaling(min_capacity=1), "SageMaker scales it"),
        ("rollout", Rollout.all_at_once(), "replaces a serverless model all at once"),
        ("data_capture", DataCapture(), "does not support data capture"),
        ("container_startup_health_check_timeout_in_seconds", 900, "no such member"),
        ("volume_size_in_gb", 50, "no instances"),
        ("model_data_download_timeout_in_seconds", 900, "no such member"),
        ("hourly_price_usd", 1.0, "bills the time of each request"),
        ("async_inference_config", AsyncInferenceConfig(), "not both"),
    ],
)
def test_what_aws_excludes_from_serverless_is_refused_with_its_reason(argument: str, value: Any, reason: str) -> None:
    (problem,) = problems_of(Endpoint(serverless_config=ServerlessConfig(), **{argument: value}))
    assert problem.field == argument
    assert reason in problem.rule


def test_everything_that_serverless_excludes_is_told_at_once() -> None:
    endpoint = Endpoint.for_production(instance_type="ml.c5.large")
    wrong = Endpoint(
        serverless_config=ServerlessConfig(),
        instance_type=endpoint.instance_type,
        initial_instance_count=2,
        autoscaling=endpoint.autoscaling,
        rollout=endpoint.rollout,
        data_capture=endpoint.data_capture,
    )
    told = {one.field for one in found(production=wrong, network=NETWORK, cost=Cost(max_monthly_usd=100))}
    fields = ("instance_type", "initial_instance_count", "autoscaling", "rollout", "data_capture")
    assert told == {"network", "cost.max_monthly_usd", *(f"production.{name}" for name in fields)}


@pytest.mark.parametrize("place", ["dev", "production"])
@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"network": NETWORK}, "network", "does not support a VPC"),
        ({"cost": Cost(max_monthly_usd=100)}, "cost.max_monthly_usd", "depends on its requests"),
    ],
)
def test_what_serverless_excludes_elsewhere_is_refused(
    place: str, changes: dict[str, Any], field: str, reason: str
) -> None:
    hourly = {"hourly_price_usd": 0.1}
    other = {"dev": Endpoint(**hourly), "production": Endpoint(**hourly)}  # type: ignore[arg-type]
    (problem,) = found(**changes, **{**other, place: Endpoint.serverless()})
    assert problem.field == field
    assert reason in problem.rule
    assert place in str(problem)


def test_a_data_set_can_request_nothing_for_a_serverless_endpoint() -> None:
    requests = Requests(production=EndpointLimits(max_instance_count=9))
    (problem,) = found(production=Endpoint.serverless(), dataset=Dataset(requests=requests))
    assert problem.field == "dataset.requests.production"


@pytest.mark.parametrize(
    ("production", "reason"),
    [(Endpoint.serverless(), "several variants"), (Endpoint.asynchronous(), "TargetVariant")],
)
def test_an_ab_test_needs_a_real_time_endpoint(production: Endpoint, reason: str) -> None:
    (problem,) = found(production=production, ab_test=ABTest())
    assert problem.field == "ab_test"
    assert reason in problem.rule


def test_an_asynchronous_endpoint_has_no_data_capture() -> None:
    (problem,) = problems_of(Endpoint(async_inference_config=AsyncInferenceConfig(), data_capture=DataCapture()))
    assert problem.field == "data_capture"
    assert "keeps every request and response in S3" in problem.rule


@pytest.mark.parametrize("endpoint", ["dev", "production"])
def test_a_comparison_needs_responses_at_once(endpoint: str) -> None:
    compared = SmokeTest(confidence_level=0.95)
    dev = Endpoint.asynchronous(smoke_test=compared) if endpoint == "dev" else Endpoint(smoke_test=compared)
    production = Endpoint() if endpoint == "dev" else Endpoint.asynchronous()
    (problem,) = found(dev=dev, production=production)
    assert problem.field == "dev.smoke_test.confidence_level"
    assert found(dev=Endpoint(smoke_test=compared), production=Endpoint.serverless()) == []


def test_an_asynchronous_endpoint_scales_on_its_backlog_and_no_other_does() -> None:
    (queued,) = problems_of(Endpoint.asynchronous(autoscaling=Autoscaling(min_capacity=1)))
    (at_once,) = problems_of(Endpoint(autoscaling=Autoscaling.on_backlog()))
    assert queued.field == at_once.field == "autoscaling.backlog_per_instance"
    assert "no invocations per instance" in queued.rule
    assert "no backlog" in at_once.rule


@given(st.integers(-2, 3))
def test_only_the_backlog_scales_to_zero(least: int) -> None:
    assert (problems_of(Autoscaling.on_backlog(min_capacity=least)) == []) is (least >= 0)
    assert (problems_of(Autoscaling(min_capacity=least)) == []) is (least >= 1)


def test_an_asynchronous_invocation_may_take_an_hour() -> None:
    slow = Rollout.all_at_once(max_latency_ms=3_600_000)
    assert problems_of(Endpoint.asynchronous(rollout=slow)) == []
    (problem,) = problems_of(Endpoint(rollout=slow))
    assert problem.field == "rollout.max_latency_ms"


def test_a_topic_is_an_arn_or_a_reference() -> None:
    assert problems_of(AsyncInferenceConfig(success_topic=TOPIC, error_topic="${aws_sns_topic.one.arn}")) == []
    (problem,) = problems_of(AsyncInferenceConfig(error_topic="answers"))
    assert problem.field == "error_topic"


@pytest.mark.parametrize("production", [Endpoint.serverless(), Endpoint.asynchronous()])
def test_what_is_not_captured_cannot_be_watched(production: Endpoint) -> None:
    (problem,) = found(production=production, monitoring=Monitoring())
    assert problem.field == "monitoring"
