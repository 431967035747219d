"""The class methods that make a part take its fields: the same names, types and defaults, and each is passed on."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import pytest

from mlops_constructs import (
    ABMetric,
    Algorithm,
    AsyncInferenceConfig,
    Autoscaling,
    DataCapture,
    Dataset,
    Endpoint,
    Evaluation,
    Rollout,
    ServerlessConfig,
    SmokeTest,
    Threshold,
    config,
)
from mlops_constructs.config.script import ScriptAlgorithm

_TOLERANCES = {"absolute_tolerance", "relative_tolerance"}
_RANGE = {"low", "high"}
_MODES = {"serverless_config", "async_inference_config"}
# Fields that the way itself decides.
DECIDED: dict[Any, set[str]] = {
    ABMetric.accuracy: {"measures", "max_latency_ms", *_RANGE},
    ABMetric.success: {"measures", "max_latency_ms", *_RANGE, *_TOLERANCES},
    ABMetric.value: {"measures", "max_latency_ms", *_TOLERANCES},
    ABMetric.server_errors: {"measures", "max_latency_ms", *_RANGE, *_TOLERANCES},
    ABMetric.latency: {"measures", *_RANGE, *_TOLERANCES},
    Algorithm.from_directory: {"directory", "codecommit_repository", "git", "image_uri", "built_in", "script"},
    Algorithm.from_codecommit: {"directory", "codecommit_repository", "git", "image_uri", "built_in", "script"},
    Algorithm.from_connection: {"directory", "codecommit_repository", "git", "image_uri", "built_in", "script"},
    Algorithm.from_git: {"directory", "codecommit_repository", "git", "image_uri", "built_in", "script"},
    # Nothing is built.
    Algorithm.from_image: {
        *("directory", "codecommit_repository", "git", "built_in", "script"),
        *("branch", "ecr_repository_name", "base_image"),
    },
    Algorithm.builtin: {field.name for field in dataclasses.fields(Algorithm)} - {"retrain_on_new_image"},
    Algorithm.from_script: {field.name for field in dataclasses.fields(Algorithm)},
    Dataset.from_bucket: set(),
    Autoscaling.on_backlog: {"invocations_per_instance"},
    Endpoint.for_production: _MODES,
    Endpoint.serverless: {field.name for field in dataclasses.fields(Endpoint)} - {"smoke_test"},
    Endpoint.asynchronous: {"data_capture", "serverless_config"},
    Evaluation.for_regression: set(),
    Evaluation.no_gate: {field.name for field in dataclasses.fields(Evaluation)} - {"job"},
    Rollout.canary: {"strategy"},
    Rollout.linear: {"strategy"},
    Rollout.all_at_once: {"strategy", "step_percent"},
    SmokeTest.for_regression: set(),
}
# Defaults that are meant to differ from the field's: what is needed is not optional here.
DEFAULTS: dict[Any, dict[str, Any]] = {
    Autoscaling.on_backlog: {"min_capacity": 0, "backlog_per_instance": 5.0},
    Endpoint.serverless: {"smoke_test": SmokeTest()},
    Endpoint.asynchronous: {
        "autoscaling": Autoscaling.on_backlog(),
        "smoke_test": SmokeTest(max_latency_ms=60_000),
        "async_inference_config": AsyncInferenceConfig(),
    },
    Algorithm.from_image: {"image_uri": inspect.Parameter.empty},
    Dataset.from_bucket: {"bucket_name": inspect.Parameter.empty, "objects_prefix": None},
    Endpoint.for_production: {
        "initial_instance_count": 2,
        "autoscaling": Autoscaling(),
        "rollout": Rollout(),
        "data_capture": DataCapture(),
        "smoke_test": SmokeTest(),
    },
    Evaluation.for_regression: {
        "metric": "validation:rmse",
        "min_value": None,
        "objective_type": "Minimize",
        "rules": (Threshold(metric="validation:r2", min_value=0.0),),
    },
    Rollout.linear: {"step_percent": 25},
    SmokeTest.for_regression: {"min_accuracy": None},
}
# Arguments that say what the way decides.
REQUIRED: dict[Any, dict[str, str]] = {
    Endpoint.serverless: {field.name: "x" for field in dataclasses.fields(ServerlessConfig)},
    Algorithm.from_directory: {"path": "container"},
    Algorithm.from_codecommit: {"repository_name": "scores"},
    Algorithm.from_connection: {"connection_arn": "arn", "repository": "team/scores"},
    Algorithm.from_git: {"provider_type": "GitHub", "repository": "team/scores"},
    Algorithm.builtin: {"name": "xgboost", "version": "1.7-1"},
    # Those of the script, and retrain_on_new_source.
    Algorithm.from_script: {
        **{field.name: "x" for field in dataclasses.fields(ScriptAlgorithm)},
        "retrain_on_new_source": "x",
    },
}


def ways() -> list[Any]:
    """Give every public class method of every part."""
    return [
        pytest.param(one, getattr(one, name), id=f"{one.__name__}.{name}")
        for one in map(config.__dict__.__getitem__, config.__all__)
        if dataclasses.is_dataclass(one)
        for name, value in vars(one).items()
        if isinstance(value, classmethod) and not name.startswith("_")
    ]


def fields_of(one: Any) -> dict[str, dataclasses.Field[Any]]:
    """Give the fields of a part by name."""
    return {field.name: field for field in dataclasses.fields(one)}


def shared(one: Any, way: Any) -> dict[str, inspect.Parameter]:
    """Give the arguments that are fields of the part."""
    parameters = inspect.signature(way).parameters
    return {name: parameter for name, parameter in parameters.items() if name in fields_of(one)}


def value_for(annotation: str) -> Any:
    """Give a value of this type that is nobody's default."""
    choices = re.findall(r"'(\w+)'|\"(\w+)\"", annotation)
    if annotation.startswith("Literal"):
        return "".join(choices[-1])
    plain = {"bool": True, "int": 7, "float": 0.7, "str": "given", "Sequence": ("given",)}
    return plain.get(re.split(r"\W", annotation)[0], annotation)


@pytest.mark.parametrize(("one", "way"), ways())
def test_a_way_takes_every_field_that_it_does_not_decide(one: Any, way: Any) -> None:
    assert set(shared(one, way)) == set(fields_of(one)) - DECIDED[way]
    assert set(inspect.signature(way).parameters) - set(shared(one, way)) == set(REQUIRED.get(way, {}))


@pytest.mark.parametrize(("one", "way"), ways())
def test_its_arguments_have_the_type_and_the_default_of_the_field(one: Any, way: Any) -> None:
    for name, parameter in shared(one, way).items():
        field = fields_of(one)[name]
        required = parameter.default is inspect.Parameter.empty
        assert parameter.annotation == (str(field.type).removesuffix(" | None") if required else field.type), name
        assert parameter.default == DEFAULTS.get(way, {}).get(name, field.default), name


@pytest.mark.parametrize(("one", "way"), ways())
def test_every_argument_reaches_its_field(one: Any, way: Any) -> None:
    given = {name: value_for(str(fields_of(one)[name].type)) for name in shared(one, way)}
    made = way(**REQUIRED.get(way, {}), **given)
    assert {name: getattr(made, name) for name in given} == given


def test_the_first_rule_of_the_gate_has_the_fields_of_every_other() -> None:
    rule, gate = fields_of(Threshold), fields_of(Evaluation)
    assert list(gate)[: len(rule)] == list(rule)
    # Without a metric there is no gate.
    types = {name: str(gate[name].type) for name in rule} | {"metric": "str"}
    assert types == {name: str(field.type) for name, field in rule.items()}
    given = {name: value_for(str(field.type)) for name, field in rule.items()}
    assert Evaluation(**given).thresholds == (Threshold(**given),)
