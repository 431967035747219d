"""A value of another kind than its field's is reported by name; nothing is compared with it."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest
from configuration import CONTAINER, GOOD, NUMBER_TOKEN, STRING_TOKEN, found

from mlops_constructs import (
    Algorithm,
    Autoscaling,
    CategoricalParameter,
    Checkpoints,
    Column,
    ContinuousParameter,
    DataContract,
    Dataset,
    Endpoint,
    EndpointLimits,
    Evaluation,
    EvaluationJob,
    Hyperband,
    IntegerParameter,
    Network,
    Requests,
    Spot,
    Threshold,
    Training,
    TrainingLimits,
    Tuning,
    config,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Every kind of part, each with every part that it can hold.
FULL: dict[str, Any] = {
    **GOOD,
    "dataset": Dataset(
        contract=DataContract(columns=[Column(name="age", type="number", min_value=0, max_value=120)]),
        requests=Requests(
            training=TrainingLimits(max_instance_count=2, max_volume_size_in_gb=50, max_runtime_in_seconds=7200),
            production=EndpointLimits(min_instance_count=2, max_instance_count=9, min_sampling_percentage=5),
        ),
    ),
    "training": Training(spot=Spot(max_wait_time_in_seconds=7200), checkpoints=Checkpoints()),
    "tuning": Tuning(
        objective_metric_name="validation:accuracy",
        strategy="Hyperband",
        hyperband=Hyperband(min_resource=1, max_resource=9),
        max_jobs=9,
        hyperparameter_ranges={
            "depth": IntegerParameter(1, 9),
            "rate": ContinuousParameter(0.1, 0.9),
            "kind": CategoricalParameter(["a", "b"]),
        },
    ),
    "network": Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"]),
    "evaluation": Evaluation(rules=[Threshold(metric="loss", min_value=0.1, max_value=0.4)], job=EvaluationJob()),
    "dev": Endpoint(autoscaling=Autoscaling(min_capacity=1)),
}
NUMBERS = r"(int|float)\b"
Step = str | int


def members(value: Any) -> Iterator[tuple[Step, Any]]:
    """Give what a part, a list or a mapping holds, by field, index or key."""
    if dataclasses.is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)


def scalars(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Give path and annotation of every field of one value, wherever it lies."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if re.match(r"(bool|int|float|str|Literal|Path)\b", str(field.type)):
                yield (*path, field.name), str(field.type)
    for step, inner in members(value):
        yield from scalars(inner, (*path, step))


def replaced(value: Any, path: tuple[Step, ...], new: object) -> Any:
    """Give a copy with ``new`` at ``path``."""
    if not path:
        return new
    step, *rest = path
    inner = replaced(dict(members(value))[step], tuple(rest), new)
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{str(step): inner})  # type: ignore[type-var]
    changed = {**dict(members(value)), step: inner}
    return changed if isinstance(value, dict) else list(changed.values())


def written(path: tuple[Step, ...]) -> str:
    """Write a path as messages do."""
    text = ""
    for index, step in enumerate(path):
        in_mapping = index > 0 and path[index - 1] == "hyperparameter_ranges"
        text += f"[{step!r}]" if isinstance(step, int) or in_mapping else f".{step}"
    return text[1:]


def told(path: tuple[Step, ...], value: object) -> list[tuple[str, object]]:
    """Give field and value of each problem of a pipeline with ``value`` at ``path``."""
    return [(problem.field, problem.got) for problem in found(**replaced(FULL, path, value))]


FIELDS = [pytest.param(path, kind, id=written(path)) for path, kind in scalars(FULL)]


def test_every_class_is_tried() -> None:
    seen: set[type] = set()

    def look(value: Any) -> None:
        seen.add(type(value))
        for _, inner in members(value):
            look(inner)

    look(FULL)
    public = {one for one in map(config.__dict__.get, config.__all__) if dataclasses.is_dataclass(one)}
    assert public - {config.PipelineConfig} <= seen
    assert found(**FULL) == []


@pytest.mark.parametrize(("path", "kind"), FIELDS)
def test_a_value_of_another_kind_is_reported_by_name(path: tuple[Step, ...], kind: str) -> None:
    wrong = "7" if re.match(rf"bool|{NUMBERS}", kind) else 7
    assert (written(path), wrong) in told(path, wrong)


@pytest.mark.parametrize(("path", "kind"), [one for one in FIELDS if re.match(NUMBERS, str(one.values[1]))])
@pytest.mark.parametrize("token", [STRING_TOKEN, NUMBER_TOKEN], ids=["string", "number"])
def test_a_token_of_either_kind_in_a_number_is_reported_by_name(path: tuple[Step, ...], kind: str, token: Any) -> None:
    assert (written(path), "a token") in told(path, token)


@pytest.mark.parametrize("count", [1.5, True])
def test_a_count_is_a_whole_number(count: Any) -> None:
    (problem,) = found(training=Training(instance_count=count))
    assert str(problem) == f"training.instance_count: must be a whole number, got {count}; give a whole number"


@pytest.mark.parametrize(
    ("changes", "field", "class_"),
    [
        ({"training": None}, "training", "Training"),
        ({"training": {"instance_type": "ml.m5.large"}}, "training", "Training"),
        ({"algorithm": "container"}, "algorithm", "Algorithm"),
        ({"algorithm": Algorithm(built_in="xgboost")}, "algorithm.built_in", "BuiltinAlgorithm"),  # type: ignore[arg-type]
        ({"dev": Endpoint(autoscaling=Threshold(metric="f1"))}, "dev.autoscaling", "Autoscaling"),  # type: ignore[arg-type]
        ({"tuning": Tuning}, "tuning", "Tuning"),
    ],
)
def test_what_is_no_part_is_reported_by_name_and_class(changes: dict[str, Any], field: str, class_: str) -> None:
    (problem,) = found(**changes)
    assert (problem.field, problem.rule) == (field, f"must be of the class {class_}")
    assert problem.remedy == f"give {class_}(...)"


def test_a_class_of_ones_own_that_is_a_part_is_taken() -> None:
    class Ours(Training):
        """A team's own defaults."""

    assert found(training=Ours()) == []


def test_parts_with_other_mistakes_are_judged_all_the_same() -> None:
    fields = [problem.field for problem in found(training=Training(instance_count=1.5), dataset=Dataset(prefix="x"))]  # type: ignore[arg-type]
    assert fields == ["dataset.prefix", "training.instance_count"]


def test_none_is_taken_where_it_may_stand() -> None:
    assert told(("dataset", "schedule_expression"), None) == []
    assert told(("training", "instance_count"), None) == [("training.instance_count", None)]


def test_an_algorithms_folder_may_not_be_a_string() -> None:
    (problem,) = found(algorithm=Algorithm(directory=str(CONTAINER)))  # type: ignore[arg-type]
    assert (problem.field, problem.rule) == ("algorithm.directory", "must be a path")
