"""A training that may cost more than its limit is refused before a job is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from train_model.cost import billed_seconds, check_cost, max_usd
from train_model.handler import handler
from train_model.settings import Document

from handler_kit.errors import ConfigurationError
from mlops_constructs.prices.amounts import billed_seconds as estimated_seconds
from mlops_constructs.prices.amounts import of_instances

if TYPE_CHECKING:
    from collections.abc import Callable


def document(
    *,
    limit: float | None = None,
    count: int = 1,
    runtime: int = 3600,
    kept: int = 0,
    price: float = 0.2,
    others: tuple[str, ...] = (),
    search: tuple[int, int, int] | None = None,
    **members: Any,
) -> Document:
    job = {
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": count,
            **({"KeepAlivePeriodInSeconds": kept} if kept else {}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime},
    }
    names = ("MaxNumberOfTrainingJobs", "MaxParallelTrainingJobs", "MaxRuntimeInSeconds")
    tuning = None
    if search is not None:
        tuning = {"HyperParameterTuningJobConfig": {"ResourceLimits": dict(zip(names, search, strict=True))}}
    values = {
        "training_job": job,
        "tuning_job": tuning,
        "channel": {},
        "channels": {},
        "held_out_channel": None,
        "fallback_instance_types": list(others),
        "capacity_retries": 0,
        "source_sha256": None,
        "hourly_prices_usd": {"ml.m5.xlarge": price},
        "max_training_usd": limit,
    }
    return Document(**{**values, **members})


def test_a_training_that_may_cost_more_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_cost(document(limit=1, count=3, runtime=7200))
    assert str(caught.value) == (
        "This training may cost up to 1.20 USD, more than max_training_usd (1.00 USD): 3 x ml.m5.xlarge for 2 h, all"
        " jobs together. Nothing was started. Request fewer or smaller instances or less time, or increase"
        " Cost(max_training_usd=...)."
    )


@pytest.mark.parametrize("limit", [1.2, None])
def test_a_training_within_its_limit_or_without_one_goes_on(limit: float | None) -> None:
    check_cost(document(limit=limit, count=3, runtime=7200))


def test_the_most_expensive_type_that_may_be_used_counts() -> None:
    prices = {"ml.m5.xlarge": 0.2, "ml.g5.xlarge": 1.4}
    assert max_usd(document(others=("ml.g5.xlarge",), hourly_prices_usd=prices)) == pytest.approx(1.4)


def test_an_unknown_price_is_refused_and_never_guessed() -> None:
    with pytest.raises(ConfigurationError, match=r"The price of ml\.g5\.xlarge is unknown"):
        check_cost(document(limit=9, others=("ml.g5.xlarge",)))


@given(
    count=st.integers(1, 100),
    runtime=st.integers(60, 2_419_200),
    kept=st.integers(0, 3600),
    price=st.floats(0, 500),
    search=st.none() | st.tuples(st.integers(1, 750), st.integers(1, 100), st.integers(120, 2_592_000)),
)
def test_the_limit_and_the_estimate_mean_the_same(
    count: int, runtime: int, kept: int, price: float, search: tuple[int, int, int] | None
) -> None:
    made = document(count=count, runtime=runtime, kept=kept, price=price, search=search)
    seconds = estimated_seconds(made.training_job, made.tuning_job)
    assert billed_seconds(made) == seconds
    assert max_usd(made) == pytest.approx(of_instances(count, count, price, seconds / 3600).most)


def test_nothing_is_started_above_the_limit(
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
    load_event: Callable[..., dict[str, Any]],
    script: Callable[[str], Any],
    reports: Any,
) -> None:
    names = ("artifact_bucket", "training_role_arn", "pipeline", "image_parameter", "job_prefix")
    set_env({**dict.fromkeys(names, "x"), "kms_key_arn": "", "subnet_ids": "", "security_group_ids": ""})
    made = document(limit=0.1)
    write_document({name: getattr(made, name) for name in made.__dataclass_fields__})
    sagemaker = script("sagemaker")
    handler(load_event("train_model"), None)
    assert reports.kind == "ConfigurationError"
    assert "may cost up to 0.20 USD" in reports.message
    assert not sagemaker.requests
