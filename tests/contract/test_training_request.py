"""Whatever options are chosen, the request is one that SageMaker's own model takes."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from lambdas.conftest import violations
from train_model.request import training_request, tuning_request
from train_model.settings import Params, Settings

from handler_kit import instances
from mlops_constructs import (
    CategoricalParameter,
    Checkpoints,
    ContinuousParameter,
    IntegerParameter,
    Network,
    Retry,
    Spot,
    Training,
    Tuning,
)
from mlops_constructs._aws.environment import Environment
from mlops_constructs._aws.stores import Stores
from mlops_constructs.config._instances import OWN_DISKS, has_own_disks
from mlops_constructs.stages.training.settings import training_settings

MODEL = botocore.session.get_session().get_service_model("sagemaker")
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris@sha256:" + "ab" * 32
NAME = "iris-1a2b3c-3f2b9c1e7d54"
TYPES = ["ml.m5.large", "ml.c5.xlarge", "ml.g5.xlarge", "ml.p4d.24xlarge", "ml.m7i.large"]
ENV = Environment(
    name="iris-1a2b3c",
    stores=Stores(
        pipeline="iris-1a2b3c",
        key_arn="arn:aws:kms:us-east-1:123456789012:key/0a1b",
        data_bucket="data",
        data_bucket_arn="arn:aws:s3:::data",
        artifact_bucket="artifacts",
        artifact_bucket_arn="arn:aws:s3:::artifacts",
        dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:dead-letters",
    ),
    account_id="123456789012",
    region="us-east-1",
    partition="aws",
    dns_suffix="amazonaws.com",
    retain=True,
    log_retention_in_days=365,
    tags={"team": "risk"},
    network=None,
    permissions_boundary_arn=None,
    role_path="/",
    roles={},
)
names = st.text("abcdefghij_-", min_size=1, max_size=12)
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\x85\u2028\u2029"), max_size=40)
values = st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), LINES)


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


def read(training: Training, tuning: Tuning | None, network: Network | None) -> tuple[Params, Settings]:
    """What the function reads of what the stage writes; Terraform has resolved the escapes."""
    written = {
        "ARTIFACT_BUCKET": "artifacts",
        "KMS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d",
        "TRAINING_ROLE_ARN": "arn:aws:iam::123456789012:role/iris-training",
        "PIPELINE": "iris-1a2b3c",
        "IMAGE_PARAMETER": "/iris/image",
        "HELD_OUT_CHANNEL": "",
        **training_settings(training, tuning, network, ENV),
    }
    resolved = {name: value.replace("$${", "${").replace("%%{", "%{") for name, value in written.items()}
    params = {
        "execution_id": EXECUTION,
        "dataset_uri": f"s3://artifacts/datasets/{EXECUTION}",
        "channels": "train,validation",
        "sha256": "0f" * 32,
        "release": "none",
        "request_uri": "none",
        "step": "train",
    }
    return Params.from_json(json.dumps(params)), Settings.from_env(resolved)


def problems(operation: str, request: dict[str, Any]) -> list[str]:
    """How a request breaks the model: what botocore itself checks, and what only AWS does."""
    shape = MODEL.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return [report.generate_report()] if report.has_errors() else violations(shape, request)


@settings(deadline=None)
@given(training=trainings(), network=networks, retries=st.integers(0, 8))
def test_any_training_makes_a_request_that_sagemaker_takes(
    training: Training, network: Network | None, retries: int
) -> None:
    assert list(training.problems()) == []
    request = training_request(NAME, IMAGE, *read(training, None, network), "job", retries)
    assert problems("CreateTrainingJob", request) == []
    assert ("MaxWaitTimeInSeconds" in request["StoppingCondition"]) == bool(training.spot)


@settings(deadline=None)
@given(training=trainings(), tuning=tunings, network=networks)
def test_any_search_makes_a_request_that_sagemaker_takes(
    training: Training, tuning: Tuning, network: Network | None
) -> None:
    assert list(tuning.problems()) == []
    request = tuning_request(NAME, IMAGE, *read(training, tuning, network), "job")
    request["TrainingJobDefinition"].get("ResourceConfig", {}).pop("KeepAlivePeriodInSeconds", None)
    assert problems("CreateHyperParameterTuningJob", request) == []


@pytest.mark.parametrize(
    "change", [{"TrainingJobName": "a_b"}, {"ResourceConfig": {"InstanceType": "m5"}}, {"Unknown": 1}, {"RoleArn": 1}]
)
def test_the_check_sees_a_request_that_sagemaker_refuses(change: dict[str, Any]) -> None:
    request = training_request(NAME, IMAGE, *read(Training(), None, None), "job")
    assert problems("CreateTrainingJob", request) == []
    assert problems("CreateTrainingJob", {**request, **change}) != []


@pytest.mark.parametrize("instance_type", MODEL.shape_for("TrainingInstanceType").enum)
def test_function_policy_and_library_agree_on_who_has_own_disks(instance_type: str) -> None:
    own = has_own_disks(instance_type)
    assert instances.has_own_disks(instance_type) is own
    # A pattern that is too wide would let a job run on a volume without the key.
    assert any(fnmatch.fnmatchcase(instance_type, pattern) for pattern in OWN_DISKS) is own
