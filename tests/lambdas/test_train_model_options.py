"""Every option of training reaches the request, retries are bounded, and long waits are handed over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from lambdas.test_train_model import (
    DATASET,
    DOCUMENT,
    IMAGE,
    KEY,
    NAME,
    NOW,
    PIPELINE_JOB,
    ROLE,
    SETTINGS,
    asking,
    job,
    token,
)
from train_model.handler import handler

from handler_kit import clients
from handler_kit.documents import merged

if TYPE_CHECKING:
    from collections.abc import Callable

TUNING_NAME = "iris-1a2b3c-3f2b9c1e7d54"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
SEARCH: dict[str, Any] = {
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 3600},
    "ParameterRanges": {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]},
}
TUNED = {"tuning_job": {"HyperParameterTuningJobConfig": SEARCH}}
CREATED = datetime(2026, 1, 14, tzinfo=timezone.utc)
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
SEARCH_ARN = f"{ARN}:hyper-parameter-tuning-job/{TUNING_NAME}"
CHILD = f"{TUNING_NAME}-002-1a2b3c4d"
BEST = {
    "TrainingJobName": CHILD,
    "TunedHyperParameters": {"depth": "4"},
    "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "validation:accuracy", "Value": 0.97},
}


@pytest.fixture(autouse=True)
def _trainable(
    set_env: Callable[..., None], write_document: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(SETTINGS)
    write_document(DOCUMENT)
    monkeypatch.setattr("time.time", lambda: float(NOW))
    clients.client("ssm").put_parameter(Name="/iris-1a2b3c/image", Value=IMAGE, Type="String")


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    return lambda token=None, step="train": handler(load_event("train_model", params={"step": step}, token=token), None)


@pytest.fixture
def requested(call: Any, sagemaker: Any, reports: Any, write_document: Any) -> Callable[..., dict[str, Any]]:
    """The request that a document makes."""

    def request(document: dict[str, Any] = DOCUMENT, **changes: Any) -> dict[str, Any]:
        write_document({**document, **changes})
        call()
        ((request,),) = sagemaker.requests.values()
        return request

    return request


def tuning_job(status: str, **more: Any) -> dict[str, Any]:
    """What DescribeHyperParameterTuningJob answers about the job of the sample event."""
    inputs = [
        {"ChannelName": channel, "DataSource": {"S3DataSource": {"S3Uri": f"{DATASET}/{channel}/"}}}
        for channel in ("train", "validation")
    ]
    definition = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE},
        "RoleArn": ROLE,
        "InputDataConfig": inputs,
        "Environment": {"MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB},
    }
    return {
        "HyperParameterTuningJobName": TUNING_NAME,
        "HyperParameterTuningJobArn": SEARCH_ARN,
        "HyperParameterTuningJobStatus": status,
        "HyperParameterTuningJobConfig": SEARCH,
        "TrainingJobDefinition": definition,
        "TrainingJobStatusCounters": {"Completed": 0, "NonRetryableError": 4},
        "CreationTime": CREATED,
        **more,
    }


def test_spot_instances_have_a_longest_wait_and_checkpoints(requested: Any) -> None:
    request = requested(
        asking(
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxWaitTimeInSeconds": 7200},
            CheckpointConfig={"LocalPath": "/opt/ml/checkpoints"},
        )
    )
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert request["CheckpointConfig"] == {
        "S3Uri": f"s3://artifacts/checkpoints/iris-1a2b3c/{EXECUTION}",
        "LocalPath": "/opt/ml/checkpoints",
    }


def test_without_options_the_request_has_none_of_them(requested: Any) -> None:
    request = requested()
    options = {"EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "VpcConfig"}
    assert options & request.keys() == set()
    assert "KeepAlivePeriodInSeconds" not in request["ResourceConfig"]


def test_the_vpc_is_handed_on(requested: Any, set_env: Any) -> None:
    set_env({"subnet_ids": "subnet-1,subnet-2", "security_group_ids": "sg-1"})
    request = requested()
    assert request["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


def test_internal_errors_are_repeated_by_sagemaker(requested: Any) -> None:
    strategy = {"MaximumRetryAttempts": 3}
    assert requested(asking(RetryStrategy=strategy))["RetryStrategy"] == strategy


def test_instances_are_kept_for_the_next_job(requested: Any) -> None:
    request = requested(asking(ResourceConfig={"KeepAlivePeriodInSeconds": 600}))
    assert request["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600


def test_instances_with_disks_of_their_own_get_no_volume_key(requested: Any) -> None:
    request = requested(asking(ResourceConfig={"InstanceType": "ml.g5.xlarge"}))
    assert "VolumeKmsKeyId" not in request["ResourceConfig"]
    assert request["OutputDataConfig"]["KmsKeyId"] == KEY


def test_input_mode_and_distribution_are_handed_on(requested: Any) -> None:
    source = {"S3DataSource": {"S3DataDistributionType": "ShardedByS3Key"}}
    request = requested(
        asking(AlgorithmSpecification={"TrainingInputMode": "FastFile"}),
        channel=merged(DOCUMENT["channel"], {"DataSource": source}),
    )
    assert request["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"
    sources = [one["DataSource"]["S3DataSource"] for one in request["InputDataConfig"]]
    assert {source["S3DataDistributionType"] for source in sources} == {"ShardedByS3Key"}


def test_the_network_can_be_opened_and_the_traffic_left_plain(requested: Any) -> None:
    request = requested(
        asking(
            EnableNetworkIsolation=False,
            EnableInterContainerTrafficEncryption=False,
            ResourceConfig={"InstanceCount": 2},
        )
    )
    assert request["EnableNetworkIsolation"] is False
    assert request["EnableInterContainerTrafficEncryption"] is False


def test_the_users_tags_are_on_the_job(requested: Any) -> None:
    tag = {"Key": "team", "Value": "risk"}
    tags = requested(asking(Tags=[tag]))["Tags"]
    assert [one["Key"] for one in tags] == ["team", "mlops:execution-id", "mlops:dataset-sha256"]
    assert tag in tags


def test_an_unknown_step_is_refused_by_name(call: Any, reports: Any) -> None:
    call(step="rest")
    assert reports.kind == "ConfigurationError"
    assert "UserParameters key step" in reports.message


def test_07_a_job_without_capacity_tries_the_next_instance_type(
    call: Any, sagemaker: Any, reports: Any, write_document: Any
) -> None:
    write_document({**DOCUMENT, "fallback_instance_types": ["ml.g5.xlarge"]})
    sagemaker.answer("DescribeTrainingJob", **job("Failed", FailureReason="CapacityError: Unable."))
    call(token())
    (request,) = sagemaker.requests["CreateTrainingJob"]
    assert request["TrainingJobName"] == f"{NAME}-r2"
    assert request["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert "VolumeKmsKeyId" not in request["ResourceConfig"]
    assert request["Environment"]["MLOPS_CAPACITY_RETRIES"] == "1"


def test_after_the_last_instance_type_comes_the_first_again(
    call: Any, sagemaker: Any, reports: Any, write_document: Any
) -> None:
    write_document({**DOCUMENT, "fallback_instance_types": ["ml.c5.xlarge"]})
    tried = {"MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB, "MLOPS_CAPACITY_RETRIES": "1"}
    failed = job("Failed", name=f"{NAME}-r2", FailureReason="CapacityError: Unable.", Environment=tried)
    sagemaker.answer("DescribeTrainingJob", **failed)
    call(token(f"{NAME}-r2"))
    (request,) = sagemaker.requests["CreateTrainingJob"]
    assert (request["TrainingJobName"], request["ResourceConfig"]["InstanceType"]) == (f"{NAME}-r3", "ml.m5.large")


def test_a_retried_stage_may_wait_for_capacity_again(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Failed", name=f"{NAME}-r5", FailureReason="CapacityError: Unable."))
    call(token(f"{NAME}-r5"))
    assert json.loads(reports.token)["awaits"] == f"{NAME}-r6"


@pytest.mark.parametrize("code", ["InsufficientInstanceCapacity", "CapacityError"])
def test_07_a_refusal_for_capacity_is_bounded(call: Any, sagemaker: Any, reports: Any, code: str) -> None:
    for _ in range(3):
        sagemaker.refuse("CreateTrainingJob", code, "No instances in this zone.")
    call()
    assert len(sagemaker.requests["CreateTrainingJob"]) == 3
    told = f"Training job {NAME} was not started: No instances in this zone. Retry the stage later, or choose another"
    assert reports.message == f"{told} instance type."


def test_a_refusal_for_capacity_takes_the_next_instance_type(
    call: Any, sagemaker: Any, reports: Any, write_document: Any
) -> None:
    write_document({**DOCUMENT, "fallback_instance_types": ["ml.c5.xlarge"]})
    sagemaker.refuse("CreateTrainingJob", "InsufficientInstanceCapacity")
    call()
    types = [request["ResourceConfig"]["InstanceType"] for request in sagemaker.requests["CreateTrainingJob"]]
    assert types == ["ml.m5.large", "ml.c5.xlarge"]
    assert json.loads(reports.token)["awaits"] == NAME


def test_a_spot_job_says_what_was_billed(call: Any, sagemaker: Any, reports: Any) -> None:
    times = {"TrainingTimeInSeconds": 100, "BillableTimeInSeconds": 30, "EnableManagedSpotTraining": True}
    sagemaker.answer("DescribeTrainingJob", **job("Completed", **times))
    call(token())
    summary = reports.only("success")["executionDetails"]["summary"]
    assert summary == f"Training job {NAME} completed in 100 s, 30 s billed"


def test_a_job_that_waited_too_long_says_what_to_raise(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Stopped", SecondaryStatus="MaxWaitTimeExceeded"))
    call(token())
    assert "(MaxWaitTimeExceeded); raise spot.max_wait_time_in_seconds" in reports.message


def test_starting_waits_until_the_job_has_its_instances(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", SecondaryStatus="Starting"))
    call(token(), step="start")
    assert json.loads(reports.token)["awaits"] == NAME


@pytest.mark.parametrize("secondary", ["Downloading", "Training"])
def test_a_job_that_has_begun_is_left_to_the_event(call: Any, sagemaker: Any, reports: Any, secondary: str) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", SecondaryStatus=secondary))
    call(token(), step="start")
    assert "continuationToken" not in reports.only("success")


def test_starting_tells_at_once_why_a_job_failed(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Failed", FailureReason="ClientError: no such image"))
    call(token(), step="start")
    assert "ClientError: no such image" in reports.message


def test_starting_hands_over_a_job_that_waits_for_spot_instances_for_days(
    call: Any, sagemaker: Any, reports: Any
) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", SecondaryStatus="Starting"))
    call(token(deadline=NOW - 1), step="start")
    assert "continuationToken" not in reports.only("success")


def test_reading_gives_the_outputs_of_the_newest_attempt(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Failed"))
    sagemaker.answer("DescribeTrainingJob", **job("Completed", name=f"{NAME}-r2"))
    sagemaker.refuse_rest("DescribeTrainingJob", "ValidationException", "Requested resource not found.")
    call(step="read")
    assert reports.outputs["JobName"] == f"{NAME}-r2"


def test_reading_tells_the_whole_reason(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Failed", FailureReason="AlgorithmError: " + "why " * 200))
    sagemaker.refuse_rest("DescribeTrainingJob", "ResourceNotFound")
    call(step="read")
    assert reports.message.count("why") == 200
    assert reports.only("failure")["failureDetails"]["externalExecutionId"].startswith("https://console")


def test_reading_waits_for_a_job_that_still_runs(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", SecondaryStatus="Training"))
    sagemaker.refuse_rest("DescribeTrainingJob", "ResourceNotFound")
    call(step="read")
    assert json.loads(reports.token)["awaits"] == NAME


def test_reading_a_job_that_was_never_started_says_so(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse_rest("DescribeTrainingJob", "ResourceNotFound")
    call(step="read")
    assert reports.message == f"Training job {NAME} does not exist. Retry all actions of the stage."


def test_a_search_has_the_training_job_as_its_definition(requested: Any, set_env: Any) -> None:
    set_env({"subnet_ids": "subnet-1", "security_group_ids": "sg-1"})
    spot = {"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxWaitTimeInSeconds": 7200}}
    request = requested(asking(**spot, Tags=[{"Key": "team", "Value": "risk"}]), **TUNED)
    definition = request["TrainingJobDefinition"]
    assert request["HyperParameterTuningJobName"] == TUNING_NAME
    assert request["HyperParameterTuningJobConfig"] == SEARCH
    assert definition["StaticHyperParameters"] == {"trees": "100"}
    assert definition["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert definition["EnableManagedSpotTraining"] is True
    assert definition["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert {"TrainingJobName", "HyperParameters", "Tags"} & definition.keys() == set()
    assert {"Key": "mlops:execution-id", "Value": EXECUTION} in request["Tags"]


def test_a_search_hands_the_fallback_types_to_sagemaker(requested: Any) -> None:
    request = requested(**TUNED, fallback_instance_types=["ml.c5.xlarge"])
    resources = request["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"]
    assert [config["InstanceType"] for config in resources["InstanceConfigs"]] == ["ml.m5.large", "ml.c5.xlarge"]
    assert resources["AllocationStrategy"] == "Prioritized"
    assert "ResourceConfig" not in request["TrainingJobDefinition"]


def test_a_name_too_long_for_a_search_is_refused(call: Any, reports: Any, set_env: Any, write_document: Any) -> None:
    set_env({"job_prefix": "a-name-of-twenty-letters"})
    write_document({**DOCUMENT, **TUNED})
    call()
    assert "is not the name of a tuning job" in reports.message


def test_a_search_is_adopted_on_redelivery(call: Any, sagemaker: Any, reports: Any, write_document: Any) -> None:
    write_document({**DOCUMENT, **TUNED})
    sagemaker.refuse("CreateHyperParameterTuningJob", "ResourceInUse")
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("InProgress"))
    call()
    assert json.loads(reports.token)["awaits"] == TUNING_NAME


def test_the_best_training_job_is_the_candidate(call: Any, sagemaker: Any, reports: Any, write_document: Any) -> None:
    write_document({**DOCUMENT, **TUNED})
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Completed", BestTrainingJob=BEST))
    sagemaker.answer("DescribeTrainingJob", **job("Completed", name=CHILD))
    call(token(TUNING_NAME))
    assert reports.outputs["JobName"] == CHILD
    assert reports.outputs["ModelDataUrl"].endswith(f"{CHILD}/output/model.tar.gz")
    assert "validation:accuracy=0.97 with depth=4" in reports.only("success")["executionDetails"]["summary"]


def test_a_best_job_that_hyperband_ended_is_taken(call: Any, sagemaker: Any, reports: Any, write_document: Any) -> None:
    write_document({**DOCUMENT, **TUNED})
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Completed", BestTrainingJob=BEST))
    sagemaker.answer("DescribeTrainingJob", **job("Stopped", name=CHILD, TuningJobArn=SEARCH_ARN))
    call(token(TUNING_NAME))
    assert reports.outputs["JobName"] == CHILD


def test_a_best_job_without_a_model_fails(call: Any, sagemaker: Any, reports: Any, write_document: Any) -> None:
    write_document({**DOCUMENT, **TUNED})
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Completed", BestTrainingJob=BEST))
    sagemaker.answer("DescribeTrainingJob", **job("Stopped", name=CHILD, TuningJobArn=SEARCH_ARN, ModelArtifacts={}))
    call(token(TUNING_NAME))
    assert f"{CHILD}, is Stopped and has no model" in reports.message


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_search_without_a_best_job_fails_with_a_training_jobs_reason(
    call: Any, sagemaker: Any, reports: Any, write_document: Any, status: str
) -> None:
    write_document({**DOCUMENT, **TUNED})
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job(status, FailureReason="All training jobs failed."))
    failed = {"TrainingJobName": CHILD, "FailureReason": "AlgorithmError: one class only"}
    sagemaker.answer("ListTrainingJobsForHyperParameterTuningJob", TrainingJobSummaries=[{}, failed])
    call(token(TUNING_NAME))
    assert f"{CHILD}: AlgorithmError: one class only" in reports.message


@pytest.mark.parametrize(("seconds", "kind"), [(3600, "success"), (3599, "failure")])
def test_only_a_search_whose_time_was_over_goes_on_with_what_it_found(
    call: Any, sagemaker: Any, reports: Any, write_document: Any, seconds: int, kind: str
) -> None:
    write_document({**DOCUMENT, **TUNED})
    ended = {"HyperParameterTuningEndTime": CREATED + timedelta(seconds=seconds)}
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Stopped", BestTrainingJob=BEST, **ended))
    sagemaker.answer("DescribeTrainingJob", **job("Completed", name=CHILD))
    sagemaker.answer("ListTrainingJobsForHyperParameterTuningJob", TrainingJobSummaries=[])
    call(token(TUNING_NAME))
    assert reports.only(kind)


def test_a_long_search_is_left_to_the_event_as_soon_as_it_runs(
    call: Any, sagemaker: Any, reports: Any, write_document: Any
) -> None:
    write_document({**DOCUMENT, **TUNED})
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("InProgress"))
    call(token(TUNING_NAME), step="start")
    assert "continuationToken" not in reports.only("success")
