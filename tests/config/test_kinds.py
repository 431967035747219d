"""A value of another kind than its field's is reported by name; nothing is compared with it."""

from __future__ import annotations

import dataclasses
import re
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

import pytest
from configuration import CONTAINER, FULL, GOOD, NUMBER_TOKEN, STRING_TOKEN, found, members, replaced
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_constructs import (
    Algorithm,
    DataContract,
    Dataset,
    Endpoint,
    Evaluation,
    Retry,
    Rollout,
    Threshold,
    Training,
    Tuning,
    config,
)
from mlops_constructs.config._kinds import choices_of, fitted, hints_of, parts_of
from mlops_constructs.config.pipeline import Arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from configuration import Step

    from mlops_constructs import Problem

MAPPINGS = (
    *("hyperparameter_ranges", "hyperparameters", "metric_definitions", "environment", "roles", "tags"),
    *("hourly_prices_usd", "weights"),
)
NUMBERS = r"(int|float)\b"


def scalars(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Give path and annotation of every field of one value, wherever it lies."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if re.match(r"(bool|int|float|str|Literal|Path)\b", str(field.type)):
                yield (*path, field.name), str(field.type)
    for step, inner in members(value):
        yield from scalars(inner, (*path, step))


def written(path: tuple[Step, ...]) -> str:
    """Write a path as messages do."""
    text = ""
    for index, step in enumerate(path):
        in_mapping = index > 0 and path[index - 1] in MAPPINGS
        text += f"[{step!r}]" if isinstance(step, int) or in_mapping else f".{step}"
    return text[1:]


def told(path: tuple[Step, ...], value: object) -> list[tuple[str, object]]:
    """Give field and value of each problem of a pipeline with ``value`` at ``path``."""
    whole = SERVERLESS if "serverless_config" in path else FULL
    return [(problem.field, problem.got) for problem in found(**replaced(whole, path, value))]


# An endpoint is serverless or asynchronous, so that one configuration cannot have every class.
SERVERLESS = {**GOOD, "dev": Endpoint.serverless(provisioned_concurrency=1)}
PATHS = [*scalars(FULL), *(one for one in scalars(SERVERLESS) if "serverless_config" in one[0])]
FIELDS = [pytest.param(path, kind, id=written(path)) for path, kind in PATHS]


def test_every_class_is_tried() -> None:
    seen: set[type] = set()

    def look(value: Any) -> None:
        seen.add(type(value))
        for _, inner in members(value):
            look(inner)

    look(FULL)
    look(SERVERLESS)
    public = {one for one in map(config.__dict__.get, config.__all__) if dataclasses.is_dataclass(one)}
    assert public - {config.PipelineConfig} <= seen
    assert found(**FULL) == []
    assert found(**SERVERLESS) == []


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


def paths(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Give the path of everything in a value."""
    for step, inner in members(value):
        yield (*path, step)
        yield from paths(inner, (*path, step))


def kind_at(path: tuple[Step, ...]) -> Any:
    """Give the type of what is at the path."""
    hint: Any = Arguments
    value: Any = FULL
    for step in path:
        # Of several classes, such as those of a range, it is the one that is there.
        part = type(value) if dataclasses.is_dataclass(value) else next(iter(parts_of(hint)), None)
        hint = hints_of(part)[str(step)] if part in parts_of(hint) else get_args(choices_of(hint)[0])[-1]
        value = dict(members(value))[step]
    return hint


PATHS = list(paths(FULL))
RECURSIVE: dict[str, Any] = {}
RECURSIVE["x"] = [RECURSIVE]
TOKENS: list[Any] = [
    *(STRING_TOKEN, NUMBER_TOKEN, f"x-{STRING_TOKEN}", f"x-{NUMBER_TOKEN}", "#{TfToken[TOKEN.3]}"),
    *(["#{TfToken[TOKEN.3]}"], ["#{TfToken[TOKEN.3]}", "a"], {"&{TfToken[TOKEN.3]}": "String Map Token Value"}),
    *("${var.x}", '${var.x["a"]}', "$${x}", "%{ if true }x%{ endif }", "${x}"),
]
plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.dates(), st.binary(max_size=3)
)
yaml = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=5,
)
odd = st.sampled_from([RECURSIVE, 10**400, -(10**400), object(), int, Training(), Retry(), Threshold(metric="f1"), ()])


@given(path=st.sampled_from(PATHS), value=yaml | st.sampled_from(TOKENS) | odd)
@settings(max_examples=1000, deadline=None)
def test_any_value_at_any_path_is_taken_or_refused_by_its_path(path: tuple[Step, ...], value: Any) -> None:
    wrong: list[Problem] = []
    fitted(written(path), kind_at(path), value, wrong)
    problems = found(**replaced(FULL, path, value))
    # Every message can be written.
    assert all(str(problem) for problem in problems)
    assert {problem.field for problem in wrong} <= {problem.field for problem in problems}


@pytest.mark.parametrize("path", PATHS, ids=written)
def test_an_empty_key_is_taken_or_refused_by_its_path(path: tuple[Step, ...]) -> None:
    fields = [field for field, _ in told(path, None)]
    assert NoneType in get_args(kind_at(path)) or fields == [written(path)]


def test_the_other_rules_are_applied_to_what_is_right() -> None:
    training = Training(environment={"EPOCHS": 3}, retry=None, instance_count=0)  # type: ignore[dict-item, arg-type]
    assert [str(problem) for problem in found(training=training, tags=None, role_path="ml")] == [
        "training.retry: must be of the class Retry, got None; give Retry(...)",
        "training.environment['EPOCHS']: must be a string, got 3; give a string, such as '3'",
        "training.instance_count: must be 1 to 100, got 0; choose a number in that range",
        "tags: must be a mapping, got None; give a mapping, or leave it out",
        "role_path: must start and end with '/' and have at most 512 characters, got 'ml'; use for example '/ml/'",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"training": Training(metric_definitions=None)},  # type: ignore[arg-type]
        {"dataset": Dataset(contract=DataContract(columns=None, label="kind", header=True))},  # type: ignore[arg-type]
        {"dev": Endpoint(initial_instance_count=1, rollout=Rollout(strategy=None))},  # type: ignore[arg-type]
        {"evaluation": Evaluation(metric="f1", job=False)},  # type: ignore[arg-type]
        {"algorithm": "xgboost", "evaluation": Evaluation(metric="validation:auc")},
        {"training": Training(hyperparameters=None), "tuning": FULL["tuning"]},  # type: ignore[arg-type]
    ],
)
def test_a_value_of_another_kind_breaks_no_rule_of_other_fields(changes: dict[str, Any]) -> None:
    assert len(found(**changes)) == 1
