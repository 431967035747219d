"""What may follow an alarm: limits, and alarms that exist."""

from __future__ import annotations

from typing import Any

import pytest
from configuration import NUMBER_TOKEN, found

from mlops_constructs import Dataset, Monitoring, Quality, Retraining

ONLY_QUALITY = Retraining(on_drift=False)


def fields(retraining: Retraining, **more: Any) -> list[str]:
    return [problem.field for problem in found(monitoring=Monitoring(retraining=retraining, **more))]


@pytest.mark.parametrize(
    "given",
    [
        {"min_new_datasets": 0},
        {"min_new_datasets": 1001},
        {"min_new_datasets": NUMBER_TOKEN},
        {"cooldown_in_hours": 0.9},
        {"cooldown_in_hours": 2161},
        {"max_executions_per_month": 0},
        {"max_executions_per_month": 101},
        {"on_estimated_quality": NUMBER_TOKEN},
    ],
)
def test_each_limit_is_kept_to(given: dict[str, Any]) -> None:
    (name,) = given
    assert fields(Retraining(**given)) == [f"monitoring.retraining.{name}"]


@pytest.mark.parametrize(
    "given",
    [
        {"min_new_datasets": 1000, "cooldown_in_hours": 1, "max_executions_per_month": 100},
        {"min_new_datasets": 1, "cooldown_in_hours": 2160.0, "max_executions_per_month": 1},
    ],
)
def test_the_limits_themselves_are_accepted(given: dict[str, Any]) -> None:
    assert fields(Retraining(**given)) == []


def test_some_alarm_must_start_an_execution() -> None:
    assert fields(Retraining(on_drift=False, on_quality=False)) == ["monitoring.retraining.on_drift"]


def test_an_alarm_that_is_never_raised_starts_nothing() -> None:
    assert fields(ONLY_QUALITY) == ["monitoring.retraining.on_drift"]
    assert fields(ONLY_QUALITY, quality=Quality(min_accuracy=0.9)) == []


def test_an_estimate_that_is_never_made_starts_nothing() -> None:
    only = Retraining(on_drift=False, on_quality=False, on_estimated_quality=True)
    assert fields(only, quality=Quality(min_accuracy=0.9)) == ["monitoring.retraining.on_estimated_quality"]
    assert fields(only, quality=Quality(min_accuracy=0.9, estimated=True)) == []


def test_the_reasons_are_those_that_are_chosen() -> None:
    assert Retraining().reasons == ["drift", "quality"]
    assert Retraining(on_drift=False, on_estimated_quality=True).reasons == ["quality", "estimated_quality"]


@pytest.mark.parametrize("starts", [True, False])
def test_uploads_may_start_executions_or_not(starts: bool) -> None:
    assert found(dataset=Dataset(start_on_upload=starts), monitoring=Monitoring(retraining=Retraining())) == []


def test_whether_uploads_start_executions_is_known_at_synth() -> None:
    (problem,) = found(dataset=Dataset(start_on_upload=NUMBER_TOKEN))  # type: ignore[arg-type]
    assert problem.field == "dataset.start_on_upload"
