"""The arguments from a mapping, as YAML gives it: what can be written in Python can be written there."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from configuration import CONTAINER, FULL, GOOD

from mlops_constructs import Algorithm, Column, ConfigError, DataContract, Dataset, IntegerParameter, Training, Tuning
from mlops_constructs.config import PipelineConfig
from mlops_constructs.config._part import Part
from mlops_constructs.config.reading import RANGES, read_arguments

DOCS = Path(__file__).resolve().parents[2] / "docs"
specification = importlib.util.spec_from_file_location("generate_schema", DOCS / "generate_schema.py")
assert specification is not None
assert specification.loader is not None
generator = importlib.util.module_from_spec(specification)
sys.modules[specification.name] = generator
specification.loader.exec_module(generator)
MINIMAL: dict[str, Any] = {"algorithm": {"directory": str(CONTAINER)}, "dataset": {}}


def written(value: Any) -> Any:
    """Write a part as a mapping."""
    if isinstance(value, Part):
        fields = {field.name: written(getattr(value, field.name)) for field in dataclasses.fields(value)}  # type: ignore[arg-type]
        names = [name for name, one in RANGES.items() if type(value) is one]
        return {**fields, "type": names[0]} if names else fields
    if isinstance(value, dict):
        return {key: written(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def read(values: Any) -> list[str]:
    """Give the problems of a mapping: those of reading it, and those of the configuration."""
    options, problems = read_arguments(values)
    try:
        PipelineConfig(**{**GOOD, **options})
    except ConfigError as error:
        problems += error.problems
    return [str(problem) for problem in problems]


def test_every_part_can_be_written_as_yaml() -> None:
    text = yaml.safe_dump({name: written(value) for name, value in FULL.items()})
    options, problems = read_arguments(yaml.safe_load(text))
    assert problems == []
    given = {name: written(value) for name, value in options.items()}
    assert given == {name: written(value) for name, value in FULL.items()}
    assert PipelineConfig(**options)


def test_the_example_of_the_page_is_read() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "configuration.md").read_text(), re.DOTALL)
    options, problems = read_arguments(yaml.safe_load(text))
    assert problems == []
    assert options == {
        "algorithm": Algorithm.from_directory("container"),
        "dataset": Dataset(
            prefix="incoming/",
            contract=DataContract(
                columns=[
                    Column(name="species", allowed_values=["setosa", "versicolor", "virginica"]),
                    Column(name="petal_length", type="number", min_value=0),
                ]
            ),
        ),
        "training": Training(
            instance_type="ml.m5.xlarge", hyperparameters={"n_estimators": 100}, environment={"EPOCHS": "3"}
        ),
        "tuning": Tuning(
            objective_metric_name="validation:accuracy",
            hyperparameter_ranges={"max_depth": IntegerParameter(2, 9)},
        ),
        "notebook": None,
        "tags": {"team": "risk"},
    }


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"trainning": {}}, "trainning: is unknown, got {}; did you mean 'training'?"),
        (
            {"training": {"instance-type": "ml.m5.large"}},
            "training.instance-type: is unknown, got 'ml.m5.large'; did you mean 'instance_type'?",
        ),
        (
            {"training": {"instanceType": "ml.m5.large"}},
            "training.instanceType: is unknown, got 'ml.m5.large'; did you mean 'instance_type'?",
        ),
        (
            {"training": {"retry": {"fallbackInstanceTypes": []}}},
            "training.retry.fallbackInstanceTypes: is unknown, got []; did you mean 'fallback_instance_types'?",
        ),
        (
            {"training": {"retry": {"fallback_instance_types": ["ml.m5.large", "m5"]}}},
            "training.retry.fallback_instance_types[1]: must look like 'ml.<family>.<size>', got 'm5'; "
            "use for example 'ml.m5.large'",
        ),
        ({"training": {"retry": {"zzz": 1}}}, "training.retry.zzz: is unknown, got 1; use one of max_retry_attempts, "),
        ({"training": {1: "x"}}, "training.1: is unknown, got 'x'; use one of "),
        (
            {"dataset": {"contract": {"columns": [{}]}}},
            "dataset.contract.columns[0].name: is required, got None; give it",
        ),
        (
            {"dataset": {"contract": {"columns": [{"name": "a", "typ": "number"}]}}},
            "dataset.contract.columns[0].typ: is",
        ),
        ({"training": None}, "training: must be of the class Training, got None; give Training(...)"),
        ({"training": "fast"}, "training: must be of the class Training, got 'fast'; give Training(...)"),
        ({"notebook": False}, "notebook: must be of the class Notebook, got False; give Notebook(...)"),
        ({"training": {"environment": {"EPOCHS": 3}}}, "training.environment['EPOCHS']: must be a string, got 3"),
        ({"tags": None}, "tags: must be a mapping, got None; give a mapping, or leave it out"),
        (
            {
                "tuning": {
                    "objective_metric_name": "validation:accuracy",
                    "hyperparameter_ranges": {"x": {"min_value": 1}},
                }
            },
            "tuning.hyperparameter_ranges['x'].type: must be 'Integer', 'Continuous' or 'Categorical', got None",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_path(values: dict[str, Any], line: str) -> None:
    (told,) = read({**MINIMAL, **values})
    assert told.startswith(line)


@pytest.mark.parametrize("values", [None, [], "algorithm: container", {}, {"algorithm": None}])
def test_what_is_no_mapping_or_lacks_what_is_required_is_refused(values: Any) -> None:
    assert {line.partition(":")[0] for line in read(values)} >= {"algorithm", "dataset"}


def test_everything_is_told_together() -> None:
    values = {"algorithm": {"directory": "/nowhere"}, "training": {"instance_count": 0, "zzz": 1}, "tag": {}}
    assert [line.partition(":")[0] for line in read(values)] == [
        *("training.zzz", "tag", "algorithm.directory", "dataset", "training.instance_count"),
    ]


def test_the_schema_is_made_from_the_annotations() -> None:
    assert generator.FILE.read_text() == generator.text(), "run `make docs`"
    schema = json.loads(generator.text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({name: written(value) for name, value in FULL.items()}, schema)
    jsonschema.validate(MINIMAL, schema)


@pytest.mark.parametrize(
    "values",
    [
        *({"trainning": {}}, {"training": None}, {"training": {"instance_count": "1"}}, {"tags": {"a": 1}}),
        *({"training": {"input_mode": "Files"}}, {"dataset": {"contract": {"columns": [{}]}}}, {"dataset": None}),
    ],
)
def test_the_schema_refuses_what_the_configuration_refuses(values: dict[str, Any]) -> None:
    assert read({**MINIMAL, **values})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**MINIMAL, **values}, generator.schema())
