"""Library and payload share no code; what they must agree on is compared here."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from synthesis import CONTAINER, Synthesized, synth

from mlops_constructs import Algorithm
from mlops_constructs._aws.endpoint_template import CAPTURE_PARAMETER, PARAMETERS
from mlops_constructs._payload import function_archive
from mlops_constructs.config import Training

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py"))


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth(algorithm=Algorithm.from_directory(CONTAINER, retrain_on_new_image=True))


def functions_of(stack: Synthesized, folder: str) -> list[dict[str, Any]]:
    handler = f"{folder}.handler.handler"
    return [function for function in stack.all("aws_lambda_function").values() if function["handler"] == handler]


def fields(cls: type) -> set[str]:
    return {field.name for field in dataclasses.fields(cls)}


def test_every_function_is_deployed(stack: Synthesized) -> None:
    deployed = {function["handler"].split(".")[0] for function in stack.all("aws_lambda_function").values()}
    assert deployed == set(FUNCTIONS)


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_environment_is_exactly_what_settings_read(stack: Synthesized, folder: str) -> None:
    settings = importlib.import_module(f"{folder}.settings").Settings
    for function in functions_of(stack, folder):
        assert set(function["environment"]["variables"]) == {name.upper() for name in fields(settings)}


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_settings_accept_what_the_construct_sets(stack: Synthesized, folder: str) -> None:
    settings = importlib.import_module(f"{folder}.settings").Settings
    for function in functions_of(stack, folder):
        assert settings.from_env(function["environment"]["variables"])


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_handler_resolves_inside_the_zip(folder: str) -> None:
    with zipfile.ZipFile(function_archive(folder).path) as bundle:
        names = bundle.namelist()
    assert f"{folder}/handler.py" in names
    assert "handler_kit/__init__.py" in names
    assert callable(importlib.import_module(f"{folder}.handler").handler)


def invocations(stack: Synthesized) -> list[tuple[str, dict[str, str]]]:
    folder_of = {
        function["function_name"]: function["handler"].split(".")[0]
        for function in stack.all("aws_lambda_function").values()
    }
    return [
        (folder_of[action["configuration"]["FunctionName"]], json.loads(action["configuration"]["UserParameters"]))
        for actions in stack.stages().values()
        for action in actions
        if action["provider"] == "Lambda"
    ]


def test_retraining_looks_for_actions_that_the_pipeline_has(stack: Synthesized) -> None:
    from start_retraining.start import DATASET, NO_RELEASE, RELEASE, TRAIN

    stages = stack.stages()
    (variable,) = stack.one("aws_codepipeline", name=stack.pipeline.name)["variable"]
    assert (variable["name"], variable["default_value"]) == (RELEASE, NO_RELEASE)
    assert DATASET in {action["name"] for action in stages["Source"]}
    assert TRAIN in {action["name"] for action in stages["Train"]}


def test_user_parameters_are_exactly_what_params_read(stack: Synthesized) -> None:
    for folder, parameters in invocations(stack):
        params = importlib.import_module(f"{folder}.settings").Params
        assert set(parameters) == fields(params), folder


def test_every_variable_used_is_one_that_an_earlier_action_gives(stack: Synthesized) -> None:
    given = {"codepipeline": {"PipelineExecutionId"}, "Dataset": {"BucketName", "ObjectKey", "VersionId", "ETag"}}
    for actions in stack.stages().values():
        for action in sorted(actions, key=lambda action: action["run_order"]):
            text = json.dumps(action["configuration"])
            for namespace, name in re.findall(r"#\{(\w+)\.(\w+)\}", text):
                assert namespace in given, f"{action['name']} uses {namespace}.{name}"
                assert not given[namespace] or name in given[namespace], f"{action['name']} uses {namespace}.{name}"
            if action.get("namespace") and action["provider"] == "Lambda":
                given[action["namespace"]] = outputs_of(stack, action)


def outputs_of(stack: Synthesized, action: dict[str, Any]) -> set[str]:
    """Read the names of a function's output variables from its source: string keys in CapWords."""
    (folder,) = {
        function["handler"].split(".")[0]
        for function in stack.all("aws_lambda_function").values()
        if function["function_name"] == action["configuration"]["FunctionName"]
    }
    sources = "".join(path.read_text() for path in (ROOT / "lambdas" / folder).glob("*.py"))
    return set(re.findall(r'"([A-Z][A-Za-z0-9]+)"\s*:', sources))


@pytest.mark.parametrize("endpoint", ["dev", "production"])
def test_register_model_gives_every_template_parameter(stack: Synthesized, endpoint: str) -> None:
    (function,) = functions_of(stack, "register_model")
    static = set(json.loads(function["environment"]["variables"]["STACK_PARAMETERS"])[endpoint])
    candidate = {"Image", "ModelDataUrl", "ModelPackageArn", "ExecutionId"}
    wanted = {*PARAMETERS, *([CAPTURE_PARAMETER] if endpoint == "production" else [])}
    assert static | candidate == wanted
    assert static & candidate == set()


@pytest.mark.parametrize("metric", Training().metrics)
def test_default_metric_expressions_match_what_the_container_prints(metric: str) -> None:
    expression = Training().metrics[metric]
    assert re.search(expression, f"{metric}=0.9667;") is not None
    assert re.search(expression, f"{metric}=9.5e-05;") is not None
    assert re.search(expression, f"other_{metric.split(':')[1]}=1;") is None


def test_seeded_folder_is_a_container_that_the_library_accepts() -> None:
    from mlops_constructs.config._container_folder import REQUIRED_FILES

    for name in REQUIRED_FILES:
        assert (ROOT / "container" / name).is_file()
