"""Whatever options are chosen, the request is one that SageMaker's own model takes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import botocore.session
import pytest
import run_evaluation.settings
from botocore.validate import ParamValidator
from check_dataset.columns import variables
from check_dataset.contract import Column, Contract
from check_dataset.workshop import parse_job
from hypothesis import given
from hypothesis import strategies as st
from lambdas.conftest import violations
from lambdas.test_training_job_zip import workshop_job
from run_evaluation.request import processing_request
from sagemaker_contract.columns import Columns
from train_model.request import training_request, tuning_request
from train_model.settings import Document, Params, Settings

from handler_kit import instances
from handler_kit.documents import merged
from mlops_constructs import (
    CategoricalParameter,
    Checkpoints,
    ContinuousParameter,
    EvaluationJob,
    IntegerParameter,
    Network,
    Retry,
    Spot,
    Training,
    Tuning,
)
from mlops_constructs.config._instances import has_own_disks
from mlops_constructs.config._tokens import is_token
from mlops_constructs.stages.evaluation.runner import processing_document
from mlops_constructs.stages.training.request import training_document

MODEL = botocore.session.get_session().get_service_model("sagemaker")
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris@sha256:" + "ab" * 32
NAME = "iris-1a2b3c-3f2b9c1e7d54"
TAGS = {"team": "risk"}
TYPES = ["ml.m5.large", "ml.c5.xlarge", "ml.g5.xlarge", "ml.p4d.24xlarge", "ml.m7i.large"]
names = st.text("abcdefghij_-", min_size=1, max_size=12)
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\x85\u2028\u2029"), max_size=40)
# Some numbers are CDKTF's references to numbers, not values.
numbers = st.floats(allow_nan=False).filter(lambda number: not is_token(number))
values = st.one_of(st.integers(), numbers, st.booleans(), LINES)


@st.composite
def trainings(draw: st.DrawFn) -> Training:
    runtime = draw(st.integers(60, 28 * 86_400))
    spot = draw(st.none() | st.integers(runtime, 30 * 86_400).map(lambda wait: Spot(max_wait_time_in_seconds=wait)))
    fallbacks = draw(st.lists(st.sampled_from(TYPES), max_size=3))
    return Training(
        instance_type=draw(st.sampled_from(TYPES)),
        instance_count=draw(st.integers(1, 100)),
        encrypt_inter_container_traffic=draw(st.booleans()),
        volume_size_in_gb=draw(st.integers(1, 16_384)),
        max_runtime_in_seconds=runtime,
        spot=spot,
        checkpoints=draw(st.none() | st.just(Checkpoints())),
        retry=Retry(
            max_retry_attempts=draw(st.integers(0, 30)), max_capacity_retries=8, fallback_instance_types=fallbacks
        ),
        keep_alive_period_in_seconds=0 if spot else draw(st.integers(0, 3600)),
        enable_network_isolation=draw(st.booleans()),
        input_mode=draw(st.sampled_from(["File", "FastFile", "Pipe"])),
        distribution=draw(st.sampled_from(["FullyReplicated", "ShardedByS3Key"])),
        hyperparameters=draw(st.dictionaries(names, values, max_size=5)),
        environment=draw(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text(max_size=20))),
    )


networks = st.none() | st.builds(
    Network,
    subnet_ids=st.lists(st.just("subnet-0a"), min_size=1, max_size=16),
    security_group_ids=st.lists(st.just("sg-0a"), min_size=1, max_size=5),
)
RANGES = {
    "depth": IntegerParameter(1, 9),
    "rate": ContinuousParameter(0.1, 1.0, scaling_type="Logarithmic"),
    "kind": CategoricalParameter(["a", 1]),
}
tunings = st.builds(
    Tuning,
    hyperparameter_ranges=st.sets(st.sampled_from(sorted(RANGES)), min_size=1).map(
        lambda chosen: {n: RANGES[n] for n in chosen}
    ),
    objective_metric_name=st.just("validation:accuracy"),
    objective_type=st.sampled_from(["Maximize", "Minimize"]),
    strategy=st.sampled_from(["Bayesian", "Random"]),
    max_jobs=st.none() | st.integers(2, 750),
    early_stopping_type=st.sampled_from(["Off", "Auto"]),
    max_runtime_in_seconds=st.integers(120, 30 * 86_400),
    random_seed=st.none() | st.integers(0, 2**31 - 1),
)


def known(**more: str | None) -> dict[str, str]:
    """The settings of a function, with references resolved as Terraform does."""
    settings = {
        "ARTIFACT_BUCKET": "artifacts",
        "KMS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d",
        "JOB_PREFIX": "iris-1a2b3c",
        "SUBNET_IDS": "",
        "SECURITY_GROUP_IDS": "",
        **more,
    }
    return {name: "" if value is None else value for name, value in settings.items()}


def in_vpc(network: Network | None) -> dict[str, str]:
    if network is None:
        return {}
    return {"SUBNET_IDS": ",".join(network.subnet_ids), "SECURITY_GROUP_IDS": ",".join(network.security_group_ids)}


def read(
    training: Training, tuning: Tuning | None, network: Network | None
) -> tuple[Params, Settings, Document, str, str]:
    """What the function reads of what the stage writes."""
    environment = known(
        TRAINING_ROLE_ARN="arn:aws:iam::123456789012:role/iris-training",
        PIPELINE="iris-1a2b3c",
        IMAGE_PARAMETER="/iris/image",
        **in_vpc(network),
    )
    params = {
        "execution_id": EXECUTION,
        "dataset_uri": f"s3://artifacts/datasets/{EXECUTION}",
        "channels": "train,validation",
        "sha256": "0f" * 32,
        "release": "none",
        "request_uri": "none",
        "step": "train",
    }
    document = json.loads(json.dumps(training_document(training, tuning, None, TAGS)))
    return (
        Params.from_json(json.dumps(params)),
        Settings.from_env(environment),
        Document(**document),
        "job",
        "eu-west-1",
    )


def problems(operation: str, request: dict[str, Any]) -> list[str]:
    """How a request breaks the model: what botocore itself checks, and what only AWS does."""
    shape = MODEL.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return [report.generate_report()] if report.has_errors() else violations(shape, request)


@given(training=trainings(), network=networks, retries=st.integers(0, 8))
def test_22_any_training_makes_a_request_that_sagemaker_takes(
    training: Training, network: Network | None, retries: int
) -> None:
    assert list(training.problems()) == []
    request = training_request(NAME, IMAGE, *read(training, None, network), retries)
    assert problems("CreateTrainingJob", request) == []
    assert ("MaxWaitTimeInSeconds" in request["StoppingCondition"]) == bool(training.spot)


@given(training=trainings(), tuning=tunings, network=networks)
def test_any_search_makes_a_request_that_sagemaker_takes(
    training: Training, tuning: Tuning, network: Network | None
) -> None:
    assert list(tuning.problems()) == []
    request = tuning_request(NAME, IMAGE, *read(training, tuning, network))
    request["TrainingJobDefinition"].get("ResourceConfig", {}).pop("KeepAlivePeriodInSeconds", None)
    assert problems("CreateHyperParameterTuningJob", request) == []


@pytest.mark.parametrize(
    "change", [{"TrainingJobName": "a_b"}, {"ResourceConfig": {"InstanceType": "m5"}}, {"Unknown": 1}, {"RoleArn": 1}]
)
def test_the_check_sees_a_request_that_sagemaker_refuses(change: dict[str, Any]) -> None:
    request = training_request(NAME, IMAGE, *read(Training(), None, None))
    assert problems("CreateTrainingJob", request) == []
    assert problems("CreateTrainingJob", {**request, **change}) != []


jobs = st.builds(
    EvaluationJob,
    entrypoint=st.none() | st.lists(LINES.filter(bool), min_size=1, max_size=100),
    instance_type=st.sampled_from([one for one in TYPES if one in MODEL.shape_for("ProcessingInstanceType").enum]),
    volume_size_in_gb=st.integers(1, 16_384),
    max_runtime_in_seconds=st.integers(60, 23 * 3600),
    environment=st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text(max_size=20)),
)


@given(job=jobs, network=networks)
def test_any_evaluation_makes_a_request_that_sagemaker_takes(job: EvaluationJob, network: Network | None) -> None:
    assert list(job.problems()) == []
    params = run_evaluation.settings.Params(
        EXECUTION, f"s3://artifacts/datasets/{EXECUTION}", "train,test", IMAGE, "s3://artifacts/model.tar.gz", "none"
    )
    role = {"EVALUATION_ROLE_ARN": "arn:aws:iam::123456789012:role/iris-evaluation", "IMAGE": job.image_uri}
    environment = run_evaluation.settings.Settings.from_env(known(**role, **in_vpc(network)))
    document = run_evaluation.settings.Document(**json.loads(json.dumps(processing_document(job, TAGS))))
    request = processing_request(NAME, params, environment, document, "job")
    assert problems("CreateProcessingJob", request) == []
    assert ("VpcConfig" in request["NetworkConfig"]) == (network is not None)


@given(training=trainings(), tuning=st.none() | tunings)
def test_what_a_data_set_asks_for_makes_a_request_that_sagemaker_takes(
    training: Training, tuning: Tuning | None
) -> None:
    files = {"trainingjob.json": json.dumps(workshop_job(Environment={"a": "b"})).encode()}
    asked = parse_job(files, "here", {}).training
    params, environment, document, job, region = read(training, tuning, None)
    changed = dataclasses.replace(document, training_job=merged(document.training_job, asked))
    if tuning is None:
        request = training_request(NAME, IMAGE, params, environment, changed, job, region)
        assert problems("CreateTrainingJob", request) == []
        assert request["ResourceConfig"]["InstanceType"] == "ml.m4.xlarge"
    else:
        request = tuning_request(NAME, IMAGE, params, environment, changed, job, region)
        request["TrainingJobDefinition"].get("ResourceConfig", {}).pop("KeepAlivePeriodInSeconds", None)
        assert problems("CreateHyperParameterTuningJob", request) == []
        assert request["TrainingJobDefinition"]["StaticHyperParameters"]["max_depth"] == "20"


@given(
    columns=st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=120, unique=True),
    label=st.integers(0, 1),
    header=st.booleans(),
)
def test_the_columns_of_a_contract_reach_the_container(columns: list[str], label: int, header: bool) -> None:
    contract = Contract(tuple(Column(name) for name in columns), header, columns[label])
    params, environment, document, job, region = read(Training(environment={"MODE": "fast"}), None, None)
    changed = dataclasses.replace(
        document, training_job=merged(document.training_job, {"Environment": variables(contract)})
    )
    request = training_request(NAME, IMAGE, params, environment, changed, job, region)
    assert problems("CreateTrainingJob", request) == []
    found = Columns.from_env(request["Environment"])
    assert (found.header, found.label, found.label_index) == (header, columns[label], label)
    assert found.names in (None, tuple(columns))
    assert found.names or len(json.dumps(columns)) > 3_500


@pytest.mark.parametrize("instance_type", MODEL.shape_for("ProcessingInstanceType").enum)
def test_every_kind_of_job_keeps_the_volume_key_from_the_same_instances(instance_type: str) -> None:
    training = training_request(NAME, IMAGE, *read(Training(instance_type=instance_type), None, None))
    settings_ = run_evaluation.settings.Settings.from_env(known(EVALUATION_ROLE_ARN="arn:role", IMAGE=None))
    document = run_evaluation.settings.Document(**processing_document(EvaluationJob(instance_type=instance_type), {}))
    params = run_evaluation.settings.Params(EXECUTION, "s3://data", "train,test", IMAGE, "s3://model", "none")
    processing = processing_request(NAME, params, settings_, document, "job")
    own = has_own_disks(instance_type)
    assert ("VolumeKmsKeyId" in training["ResourceConfig"]) is not own
    assert ("VolumeKmsKeyId" in processing["ProcessingResources"]["ClusterConfig"]) is not own


@pytest.mark.parametrize("instance_type", MODEL.shape_for("TrainingInstanceType").enum)
def test_function_and_library_agree_on_who_has_own_disks(instance_type: str) -> None:
    assert instances.has_own_disks(instance_type) is has_own_disks(instance_type)
