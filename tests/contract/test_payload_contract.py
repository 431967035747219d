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
from cdktf import TerraformVariable
from check_dataset import inspection, manifest
from synthesis import CONTAINER, Synthesized, archive_at, new_stack, synth

from mlops_constructs import (
    ABTest,
    Algorithm,
    BatchTransform,
    Column,
    DataContract,
    Dataset,
    Endpoint,
    Monitoring,
    Quality,
    Retraining,
)
from mlops_constructs._aws.function import archive_with_document
from mlops_constructs._payload import DOCUMENT, function_archive
from mlops_constructs.config import Evaluation, EvaluationJob, IntegerParameter, Network, Spot, Training, Tuning
from mlops_constructs.deployed import data_files, data_plan
from mlops_constructs.deployed.data_files import DataFile
from mlops_constructs.stages.deployment.parameters import NETWORK_PARAMETERS, PARAMETERS, PAUSED
from mlops_constructs.stages.deployment.template import endpoint_template

ROOT = Path(__file__).resolve().parents[2]
LONG_SEARCH: dict[str, Any] = {
    "training": Training(
        spot=Spot(max_wait_time_in_seconds=7200), environment={"MODE": "${fast}"}, hyperparameters={"a": 1}
    ),
    "tuning": Tuning(
        hyperparameter_ranges={"depth": IntegerParameter(1, 9)},
        objective_metric_name="validation:accuracy",
        max_runtime_in_seconds=7 * 86_400,
    ),
    "network": Network(subnet_ids=["subnet-1", "subnet-2"], security_group_ids=["sg-1"]),
    "tags": {"team": "risk"},
}
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py"))


@pytest.fixture(scope="module", params=["polled", "long search"])
def stack(request: pytest.FixtureRequest) -> Synthesized:
    """Every function, with a training job that is polled and with a search that takes days."""
    return synth(
        **(LONG_SEARCH if request.param == "long search" else {}),
        algorithm=Algorithm.from_directory(CONTAINER, retrain_on_new_image=True),
        dataset=Dataset(schedule_expression="rate(1 day)", contract=DataContract()),
        evaluation=Evaluation(metric="accuracy", job=EvaluationJob()),
        ab_test=ABTest(guard=True),
        batch=BatchTransform(),
        monitoring=Monitoring(quality=Quality(min_accuracy=0.8), retraining=Retraining()),
    )


def functions_of(stack: Synthesized, folder: str) -> list[dict[str, Any]]:
    handler = f"{folder}.handler.handler"
    return [function for function in stack.all("aws_lambda_function").values() if function["handler"] == handler]


def declared(folder: str, name: str) -> Any:
    """A class of a function, such as ``Settings``, if it has one; a short function is one module."""
    module = "settings" if (ROOT / "lambdas" / folder / "settings.py").is_file() else "handler"
    return getattr(importlib.import_module(f"{folder}.{module}"), name, None)


def fields(cls: type) -> set[str]:
    return {field.name for field in dataclasses.fields(cls)}


def test_every_function_is_deployed(stack: Synthesized) -> None:
    deployed = {function["handler"].split(".")[0] for function in stack.all("aws_lambda_function").values()}
    long = stack.pipeline.training.answer_training is not None
    assert deployed == set(FUNCTIONS) - (set() if long else {"answer_training"})


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_environment_is_exactly_what_settings_read(stack: Synthesized, folder: str) -> None:
    settings = declared(folder, "Settings")
    for function in functions_of(stack, folder):
        assert set(function["environment"]["variables"]) == {name.upper() for name in fields(settings)}


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_settings_accept_what_the_construct_sets(stack: Synthesized, folder: str) -> None:
    settings = declared(folder, "Settings")
    for function in functions_of(stack, folder):
        assert settings.from_env(function["environment"]["variables"])


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_the_document_is_exactly_what_the_function_reads(stack: Synthesized, folder: str) -> None:
    for function in functions_of(stack, folder):
        upload = stack.one("aws_s3_object", key=f"functions/{function['function_name']}.zip")
        with zipfile.ZipFile(archive_at(upload["source_hash"], folder)) as bundle:
            written = json.loads(bundle.read(DOCUMENT)) if DOCUMENT in bundle.namelist() else None
        document = declared(folder, "Document")
        assert (None if document is None else fields(document)) == (None if written is None else set(written))


def test_a_reference_in_a_document_is_refused() -> None:
    stack = new_stack()
    bucket = TerraformVariable(stack, "bucket", type="string").string_value
    with pytest.raises(ValueError, match="the document of train_model must be known at synth"):
        archive_with_document("train_model", {"training_job": {"Tags": [{"Key": "a", "Value": bucket}]}})


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
    from start_retraining.start import DATASET, RELEASE, TRAIN

    from handler_kit.settings import NONE

    stages = stack.stages()
    variables = stack.one("aws_codepipeline", name=stack.pipeline.name)["variable"]
    assert {variable["name"]: variable["default_value"] for variable in variables} == {RELEASE: NONE, "ABTest": NONE}
    assert DATASET in {action["name"] for action in stages["Source"]}
    assert TRAIN in {action["name"] for action in stages["Train"]}


def test_user_parameters_are_exactly_what_params_read(stack: Synthesized) -> None:
    for folder, parameters in invocations(stack):
        params = declared(folder, "Params")
        assert set(parameters) == fields(params), folder


def test_every_variable_used_is_one_that_an_earlier_action_gives(stack: Synthesized) -> None:
    given = {
        "codepipeline": {"PipelineExecutionId"},
        "variables": {"Release", "ABTest"},
        "Dataset": {"BucketName", "ObjectKey", "VersionId", "ETag"},
    }
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
    network = set(NETWORK_PARAMETERS) if "SubnetIds" in stack.text else set()
    assert static | candidate == set(PARAMETERS) | network
    assert static & candidate == set()


@pytest.mark.parametrize("metric", Training().metric_definitions)
def test_default_metric_expressions_match_what_the_container_prints(metric: str) -> None:
    expression = Training().metric_definitions[metric]
    assert re.search(expression, f"{metric}=0.9667;") is not None
    assert re.search(expression, f"{metric}=9.5e-05;") is not None
    assert re.search(expression, f"other_{metric.split(':')[1]}=1;") is None


def test_seeded_folder_is_a_container_that_the_library_accepts() -> None:
    assert list(Algorithm.from_directory(ROOT / "container").problems()) == []


def test_a_contract_means_the_same_in_python_and_beside_the_data() -> None:
    from check_dataset import contract

    columns = [
        Column(name="label", allowed_values=["a", "b"]),
        Column(name="size", type="number", min_value=0, max_value=1.5, nullable=True),
    ]
    declared = DataContract(columns=columns, header=True, label="label", min_rows=9, min_class_share=0.2)
    assert contract.parse_contract(json.dumps(declared.to_json()), "here") == contract.Contract(
        columns=(
            contract.Column("label", allowed_values=("a", "b")),
            contract.Column("size", "number", 0, 1.5, None, True),
        ),
        header=True,
        label="label",
        min_rows=9,
        min_class_share=0.2,
    )
    assert contract.parse_contract(json.dumps(DataContract().to_json()), "here") == contract.Contract()


def test_what_a_zip_asks_of_an_endpoint_are_parameters_of_its_template() -> None:
    from check_dataset.endpoints import parse_endpoints
    from lambdas.test_training_job_zip import workshop_deployment

    asked = parse_endpoints(json.dumps(workshop_deployment()), "here", {}).parameters
    choices = set(endpoint_template(Endpoint())["Parameters"]) - {*PARAMETERS, PAUSED}
    assert set(asked["production"]) == choices


@pytest.mark.parametrize("kind", ["ml.m5.large", "ml.m5d.large", "ml.g5.xlarge", "ml.c5.large", "ml.p4d.24xlarge"])
def test_the_same_instances_have_disks_of_their_own(kind: str) -> None:
    from check_dataset.endpoints import parse_endpoints

    asked = parse_endpoints(json.dumps({"ProductionEndpoint": {"InstanceType": kind}}), "here", {}).parameters
    default = endpoint_template(Endpoint(instance_type=kind))["Parameters"]["EncryptVolume"]["Default"]
    assert asked["production"]["EncryptVolume"] == default


def test_a_data_set_that_can_be_uploaded_can_be_checked() -> None:
    assert data_plan.MAX_OBJECTS == manifest.MAX_OBJECTS
    assert data_files.CONTRACT_END == inspection.CONTRACT_END
    objects = data_plan.plan_set("s", {"train": [DataFile(Path(__file__), "a/b"), DataFile(Path(__file__), "c")]})
    parsed = manifest.parse_manifest(json.dumps(data_plan.manifest_of(objects, ["1", "2"])), "m.json")
    assert [one.name for one in parsed.channels["train"]] == ["a/b", "c"]


def test_contracts_and_records_have_one_name_on_both_sides() -> None:
    from check_dataset import check, duplicates
    from start_newest import handler

    assert check.CONTRACT_END == handler.CONTRACT_END
    assert f'f"{duplicates.RECORDS}/' in (ROOT / "lambdas/register_model/release.py").read_text()
