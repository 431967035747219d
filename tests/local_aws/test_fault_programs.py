"""Faults that end programs: jobs, endpoints and builds say why, as on AWS."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import BUCKET, Models, models_of_an_account
from local_aws.test_codebuild import Builds
from local_aws.test_endpoint_updates import watched
from local_aws.tiny_container import make_role, wait_until, write_container

from mlops_constructs.local_aws.containers.running import Container
from mlops_constructs.local_aws.faults.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        make_role(made.aws, "training", "sagemaker.amazonaws.com")
        made.aws.client("s3").put_object(Bucket=BUCKET, Key="set/train/train.csv", Body=b"a,1\n")
        yield made


@pytest.fixture
def faults(models: Models) -> Iterator[Faults]:
    with Faults(models.aws) as faults:
        yield faults


def trained(models: Models, **changes: Any) -> dict[str, Any]:
    """Train; give the description of the job that has ended."""
    name = models.name("job")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/set/train"}
    models.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": models.image, "TrainingInputMode": "File"},
        RoleArn=f"arn:aws:iam::{models.aws.account_id}:role/training",
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        **{"StoppingCondition": {"MaxRuntimeInSeconds": 60}, "HyperParameters": {"sleep": "1"}, **changes},
    )

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = models.sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job: dict[str, Any] = wait_until(ended)
    return job


@pytest.mark.parametrize("how", ["kill", "memory"])
@pytest.mark.parametrize("after", [0, 0.3])
def test_a_killed_training_fails_with_the_exit_code_of_a_kill(
    models: Models, faults: Faults, how: str, after: float
) -> None:
    fault = faults.inject("crash:training", how=how, after=after)
    job = trained(models)
    assert job["TrainingJobStatus"] == "Failed"
    assert "exit code: 1" in job["FailureReason"]
    assert fault.fired == 1
    assert trained(models)["TrainingJobStatus"] == "Completed"


def test_a_killed_program_has_the_exit_code_that_a_container_has(models: Models, faults: Faults) -> None:
    faults.inject("crash:training:how=kill")
    assert trained(models)["FailureReason"].endswith("exit code: 137")


def test_a_full_disk_ends_the_training_that_writes(models: Models, faults: Faults) -> None:
    faults.inject("crash:training:how=disk")
    job = trained(models)
    assert job["TrainingJobStatus"] == "Failed"
    assert "File too large" in job["FailureReason"]


def test_15_a_spot_interruption_takes_a_job_of_spot_instances_only(models: Models, faults: Faults) -> None:
    fault = faults.inject("crash:training:how=spot")
    assert trained(models)["TrainingJobStatus"] == "Completed"
    assert fault.fired == 0
    assert "uses no spot instances" in fault.problem
    waiting = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    checkpoints = {"S3Uri": f"s3://{BUCKET}/checkpoints"}
    job = trained(models, EnableManagedSpotTraining=True, StoppingCondition=waiting, CheckpointConfig=checkpoints)
    assert job["TrainingJobStatus"] == "Completed"
    assert "Interrupted" in [one["Status"] for one in job["SecondaryStatusTransitions"]]
    assert fault.fired == 1


def test_a_program_that_had_ended_is_not_killed(models: Models, faults: Faults) -> None:
    fault = faults.inject("crash:training:after=2")
    assert trained(models, HyperParameters={})["TrainingJobStatus"] == "Completed"
    wait_until(lambda: fault.problem)
    assert "had ended after 2 s" in fault.problem
    assert fault.fired == 0


def test_a_server_that_dies_at_its_start_keeps_the_old_fleet(models: Models, faults: Faults) -> None:
    name = models.serving("old")
    fault = faults.inject("crash", "serving", name=name)
    endpoint = models.update(name, models.simple("new"))
    assert "rolled back" in endpoint["FailureReason"]
    assert models.answer(name)["answer"] == "old"
    assert fault.fired == 1


def test_a_server_that_is_killed_says_so_once_and_serves_again(models: Models) -> None:
    name = models.serving("same")
    (variant,) = models.aws.sagemaker.endpoints.serving(name).variants
    killed = variant.container
    assert isinstance(killed, Container)
    os.killpg(killed.pid, signal.SIGKILL)
    wait_until(lambda: killed.exit_code() is not None)

    with pytest.raises(ClientError, match=r"has ended with exit code 137, and is started again") as refused:
        models.answer(name)
    assert refused.value.response["Error"]["Code"] == "ModelError"

    def answered() -> dict[str, Any] | None:
        with contextlib.suppress(ClientError):
            return models.answer(name)
        return None

    assert wait_until(answered)["answer"] == "same"
    assert models.settled(name)["EndpointStatus"] == "InService"
    assert variant.revive() is None


def test_a_server_of_an_endpoint_that_is_deleted_is_not_started_again(models: Models) -> None:
    name = models.serving("gone")
    (variant,) = models.aws.sagemaker.endpoints.serving(name).variants
    variant.stop(0)
    assert variant.container.exit_code() is not None
    assert variant.revive() is None
    assert variant.container.exit_code() is not None


def test_31_an_alarm_that_rings_while_baking_keeps_the_old_fleet_until_the_fault_ends(
    models: Models, faults: Faults
) -> None:
    name, deployment = models.serving("old"), watched(models, "team-errors", "OK")
    fault = faults.inject("alarm:team-errors")

    endpoint = models.update(name, models.simple("new"), DeploymentConfig=deployment)
    assert "team-errors" in endpoint["FailureReason"]
    assert models.answer(name)["answer"] == "old"
    assert fault.fired == 1

    faults.clear()
    models.update(name, models.simple("newer"), DeploymentConfig=deployment)
    assert models.answer(name)["answer"] == "newer"


def test_50_a_killed_build_fails_in_its_phase_and_the_next_one_succeeds(
    models: Models, faults: Faults, tmp_path: Path
) -> None:
    builds = Builds(models.aws, write_container(tmp_path))
    buildspec = "version: 0.2\nphases:\n  build:\n    commands:\n      - sleep 1\n"
    for how in ("kill", "memory"):
        fault = faults.inject("crash", "build", how=how, after=0.2)
        build = builds.run(buildspec)
        assert build["buildStatus"] == "FAILED", how
        failed = [phase["phaseType"] for phase in build["phases"] if phase.get("phaseStatus") == "FAILED"]
        assert failed == ["BUILD"], how
        assert fault.fired == 1
        assert builds.run(buildspec)["buildStatus"] == "SUCCEEDED"
