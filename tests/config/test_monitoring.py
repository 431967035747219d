"""The rules of the watch over production: each is told with its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from configuration import STRING_TOKEN, found
from watch_traffic.plan import Plan

from mlops_constructs import (
    Column,
    DataContract,
    Dataset,
    Endpoint,
    EndpointLimits,
    Monitoring,
    Quality,
    Requests,
)

WITHOUT_CAPTURE = replace(Endpoint.for_production(), data_capture=None)
CONTRACT = DataContract(columns=[Column(name="kind"), Column(name="size", type="number")], label="kind")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"looks_every_minutes": 7}, "looks_every_minutes"),
        ({"looks_every_minutes": 120}, "looks_every_minutes"),
        ({"level": 0.0}, "level"),
        ({"level": STRING_TOKEN}, "level"),
        ({"psi_limit": 0.0}, "psi_limit"),
        ({"wasserstein_limit": -1.0}, "wasserstein_limit"),
        ({"min_hours": 1_000.0}, "min_hours"),
        ({"ignored_features": [""]}, "ignored_features[0]"),
        ({"weights": {"size": 0.0}}, "weights['size']"),
        ({"weights": {"": 1.0}}, "weights['']"),
        ({"weights": {"size": 1.0}, "ignored_features": ["size"]}, "weights['size']"),
        ({"predictions": "yes"}, "predictions"),
        ({"feature_metrics": 1}, "feature_metrics"),
        ({"quality": Quality(min_accuracy=0.0)}, "quality.min_accuracy"),
        ({"quality": Quality(min_accuracy=0.9, level=0.9)}, "quality.level"),
        ({"quality": Quality(min_accuracy=0.9, maturity_window_in_hours=0.0)}, "quality.maturity_window_in_hours"),
        ({"quality": Quality(min_accuracy=0.9, absolute_tolerance=-1.0)}, "quality.absolute_tolerance"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in found(monitoring=Monitoring(**changes))] == [f"monitoring.{field}"]


def test_the_defaults_have_no_problem() -> None:
    assert found(monitoring=Monitoring(quality=Quality(min_accuracy=0.9))) == []


@pytest.mark.parametrize("minutes", [1, 5, 15, 60])
def test_an_hour_is_a_multiple_of_the_time_between_looks(minutes: int) -> None:
    assert found(monitoring=Monitoring(looks_every_minutes=minutes)) == []


def test_what_is_not_captured_cannot_be_watched() -> None:
    (problem,) = found(monitoring=Monitoring(), production=WITHOUT_CAPTURE)
    assert (problem.field, "production.data_capture" in problem.rule) == ("monitoring", True)
    assert found(production=WITHOUT_CAPTURE) == []


@pytest.mark.parametrize("mode", [Endpoint.serverless, Endpoint.asynchronous])
def test_other_modes_of_serving_capture_nothing(mode: Any) -> None:
    fields = {problem.field: problem.rule for problem in found(monitoring=Monitoring(), production=mode())}
    assert "SageMaker captures no requests of others" in fields["monitoring"]
    assert "monitoring" not in {problem.field for problem in found(production=mode())}


@pytest.mark.parametrize(("mode", "predictions", "count"), [("asynchronous", True, 1), ("asynchronous", False, 0)])
def test_the_predictions_need_responses_of_dev(mode: str, predictions: bool, count: int) -> None:
    problems = found(monitoring=Monitoring(predictions=predictions), dev=getattr(Endpoint, mode)())
    assert [problem.field for problem in problems].count("monitoring.predictions") == count


@pytest.mark.parametrize(("least", "fields"), [(0, 1), (1, 0), (None, 0)])
def test_a_data_set_may_not_switch_data_capture_off(least: int | None, fields: int) -> None:
    dataset = Dataset(requests=Requests(production=EndpointLimits(min_sampling_percentage=least)))
    assert len(found(monitoring=Monitoring(), dataset=dataset)) == fields
    assert found(dataset=dataset) == []


@pytest.mark.parametrize("name", ["kind", "colour"])
def test_names_must_be_features_of_the_data_contract(name: str) -> None:
    for changes in ({"ignored_features": [name]}, {"weights": {name: 2.0}}):
        (problem,) = found(monitoring=Monitoring(**changes), dataset=Dataset(contract=CONTRACT))  # type: ignore[arg-type]
        assert problem.remedy == "the features are size"
    assert found(monitoring=Monitoring(ignored_features=["colour"])) == []


def test_features_and_the_prediction_may_be_named() -> None:
    monitoring = Monitoring(ignored_features=["size"], weights={"prediction": 3.0})
    assert found(monitoring=monitoring, dataset=Dataset(contract=CONTRACT)) == []


def test_the_function_takes_the_plan() -> None:
    plan = Monitoring(weights={"size": 2.0}, min_hours=24.0).to_json()["plan"]
    assert Plan(**plan) == Plan(weights={"size": 2.0}, min_hours=24.0)
    assert Plan(**Monitoring().to_json()["plan"]) == Plan()
