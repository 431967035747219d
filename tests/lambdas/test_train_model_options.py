"""Every option of training reaches the request, retries are bounded, and long waits are handed over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from lambdas.test_train_model import DATASET, IMAGE, KEY, NAME, NOW, PIPELINE_JOB, ROLE, SETTINGS, job, token
from train_model.handler import handler

from handler_kit import clients

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
TUNED = {"job_kind": "tuning", "tuning": json.dumps(SEARCH)}
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
def _trainable(set_env: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(SETTINGS)
    monkeypatch.setattr("time.time", lambda: float(NOW))
    clients.client("ssm").put_parameter(Name="/iris-1a2b3c/image", Value=IMAGE, Type="String")


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    return lambda token=None, step="train": handler(load_event("train_model", params={"step": step}, token=token), None)


@pytest.fixture
def requested(call: Any, sagemaker: Any, reports: Any, set_env: Any) -> Callable[..., dict[str, Any]]:
    """The request that settings make."""

    def request(**settings: str) -> dict[str, Any]:
        set_env(settings)
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
    request = requested(max_wait_seconds="7200", checkpoint_path="/opt/ml/checkpoints")
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert request["CheckpointConfig"] == {
        "S3Uri": f"s3://artifacts/checkpoints/{EXECUTION}",
        "LocalPath": "/opt/ml/checkpoints",
    }


def test_without_options_the_request_has_none_of_them(requested: Any) -> None:
    request = requested()
    options = {"EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "VpcConfig"}
    assert options & request.keys() == set()
    assert "KeepAlivePeriodInSeconds" not in request["ResourceConfig"]


def test_the_vpc_is_handed_on(requested: Any) -> None:
    request = requested(subnet_ids="subnet-1,subnet-2", security_group_ids="sg-1")
    assert request["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


def test_internal_errors_are_repeated_by_sagemaker(requested: Any) -> None:
    assert requested(internal_retries="3")["RetryStrategy"] == {"MaximumRetryAttempts": 3}


def test_instances_are_kept_for_the_next_job(requested: Any) -> None:
    assert requested(keep_alive_seconds="600")["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600


def test_instances_with_disks_of_their_own_get_no_volume_key(requested: Any) -> None:
    request = requested(instance_types="ml.g5.xlarge")
    assert "VolumeKmsKeyId" not in request["ResourceConfig"]
    assert request["OutputDataConfig"]["KmsKeyId"] == KEY


def test_input_mode_and_distribution_are_handed_on(requested: Any) -> None:
    request = requested(input_mode="FastFile", distribution="ShardedByS3Key")
    assert request["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"
    sources = [one["DataSource"]["S3DataSource"] for one in request["InputDataConfig"]]
    assert {source["S3DataDistributionType"] for source in sources} == {"ShardedByS3Key"}


def test_the_network_can_be_opened_and_the_traffic_left_plain(requested: Any) -> None:
    request = requested(network_isolation="false", encrypt_traffic="false", instance_count="2")
    assert request["EnableNetworkIsolation"] is False
    assert request["EnableInterContainerTrafficEncryption"] is False


def test_the_users_tags_are_on_the_job(requested: Any) -> None:
    assert {"Key": "team", "Value": "risk"} in requested(tags='{"team": "risk"}')["Tags"]


def test_a_flag_that_is_none_is_refused_by_name(call: Any, reports: Any, set_env: Any) -> None:
    set_env({"network_isolation": "yes"})
    call()
    assert reports.message == "environment variable NETWORK_ISOLATION: must be 'true' or 'false', got 'yes'"


def test_an_unknown_step_is_refused_by_name(call: Any, reports: Any) -> None:
    call(step="rest")
    assert reports.kind == "ConfigurationError"
    assert "UserParameters key step" in reports.message


def test_a_job_without_capacity_tries_the_next_instance_type(
    call: Any, sagemaker: Any, reports: Any, set_env: Any
) -> None:
    set_env({"instance_types": "ml.m5.large,ml.g5.xlarge"})
    sagemaker.answer("DescribeTrainingJob", **job("Failed", FailureReason="CapacityError: Unable."))
    call(token())
    (request,) = sagemaker.requests["CreateTrainingJob"]
    assert request["TrainingJobName"] == f"{NAME}-r2"
    assert request["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert "VolumeKmsKeyId" not in request["ResourceConfig"]
    assert request["Environment"]["MLOPS_CAPACITY_RETRIES"] == "1"


def test_after_the_last_instance_type_comes_the_first_again(
    call: Any, sagemaker: Any, reports: Any, set_env: Any
) -> None:
    set_env({"instance_types": "ml.m5.large,ml.c5.xlarge"})
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
def test_a_refusal_for_capacity_is_bounded(call: Any, sagemaker: Any, reports: Any, code: str) -> None:
    for _ in range(3):
        sagemaker.refuse("CreateTrainingJob", code, "No instances in this zone.")
    call()
    assert len(sagemaker.requests["CreateTrainingJob"]) == 3
    assert reports.message == f"Training job {NAME} was not started: No instances in this zone."


def test_a_refusal_for_capacity_takes_the_next_instance_type(
    call: Any, sagemaker: Any, reports: Any, set_env: Any
) -> None:
    set_env({"instance_types": "ml.m5.large,ml.c5.xlarge"})
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
    assert "(MaxWaitTimeExceeded); raise spot.max_wait_seconds" in reports.message


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
    sagemaker.refuse("DescribeTrainingJob", "ValidationException", "Requested resource not found.")
    call(step="read")
    assert reports.outputs["JobName"] == f"{NAME}-r2"


def test_reading_tells_the_whole_reason(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Failed", FailureReason="AlgorithmError: " + "why " * 200))
    sagemaker.refuse("DescribeTrainingJob", "ResourceNotFound")
    call(step="read")
    assert reports.message.count("why") == 200
    assert reports.only("failure")["failureDetails"]["externalExecutionId"].startswith("https://console")


def test_reading_waits_for_a_job_that_still_runs(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", SecondaryStatus="Training"))
    sagemaker.refuse("DescribeTrainingJob", "ResourceNotFound")
    call(step="read")
    assert json.loads(reports.token)["awaits"] == NAME


def test_reading_a_job_that_was_never_started_says_so(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("DescribeTrainingJob", "ResourceNotFound")
    call(step="read")
    assert reports.message == f"Training job {NAME} does not exist. Retry all actions of the stage."


def test_a_search_has_the_training_job_as_its_definition(requested: Any) -> None:
    request = requested(
        **TUNED, tags='{"team": "risk"}', max_wait_seconds="7200", subnet_ids="subnet-1", security_group_ids="sg-1"
    )
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
    request = requested(**TUNED, instance_types="ml.m5.large,ml.c5.xlarge")
    resources = request["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"]
    assert [config["InstanceType"] for config in resources["InstanceConfigs"]] == ["ml.m5.large", "ml.c5.xlarge"]
    assert resources["AllocationStrategy"] == "Prioritized"
    assert "ResourceConfig" not in request["TrainingJobDefinition"]


def test_a_name_too_long_for_a_search_is_refused(call: Any, reports: Any, set_env: Any) -> None:
    set_env({**TUNED, "job_prefix": "a-name-of-twenty-letters"})
    call()
    assert "is not the name of a tuning job" in reports.message


def test_a_search_is_adopted_on_redelivery(call: Any, sagemaker: Any, reports: Any, set_env: Any) -> None:
    set_env(TUNED)
    sagemaker.refuse("CreateHyperParameterTuningJob", "ResourceInUse")
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("InProgress"))
    call()
    assert json.loads(reports.token)["awaits"] == TUNING_NAME


def test_the_best_training_job_is_the_candidate(call: Any, sagemaker: Any, reports: Any, set_env: Any) -> None:
    set_env(TUNED)
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Completed", BestTrainingJob=BEST))
    sagemaker.answer("DescribeTrainingJob", **job("Completed", name=CHILD))
    call(token(TUNING_NAME))
    assert reports.outputs["JobName"] == CHILD
    assert reports.outputs["ModelDataUrl"].endswith(f"{CHILD}/output/model.tar.gz")
    assert "validation:accuracy=0.97 with depth=4" in reports.only("success")["executionDetails"]["summary"]


def test_a_best_job_that_hyperband_ended_is_taken(call: Any, sagemaker: Any, reports: Any, set_env: Any) -> None:
    set_env(TUNED)
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Completed", BestTrainingJob=BEST))
    sagemaker.answer("DescribeTrainingJob", **job("Stopped", name=CHILD, TuningJobArn=SEARCH_ARN))
    call(token(TUNING_NAME))
    assert reports.outputs["JobName"] == CHILD


def test_a_best_job_without_a_model_fails(call: Any, sagemaker: Any, reports: Any, set_env: Any) -> None:
    set_env(TUNED)
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Completed", BestTrainingJob=BEST))
    sagemaker.answer("DescribeTrainingJob", **job("Stopped", name=CHILD, TuningJobArn=SEARCH_ARN, ModelArtifacts={}))
    call(token(TUNING_NAME))
    assert f"{CHILD}, is Stopped and left no model" in reports.message


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_search_without_a_best_job_fails_with_a_training_jobs_reason(
    call: Any, sagemaker: Any, reports: Any, set_env: Any, status: str
) -> None:
    set_env(TUNED)
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job(status, FailureReason="All training jobs failed."))
    failed = {"TrainingJobName": CHILD, "FailureReason": "AlgorithmError: one class only"}
    sagemaker.answer("ListTrainingJobsForHyperParameterTuningJob", TrainingJobSummaries=[{}, failed])
    call(token(TUNING_NAME))
    assert f"{CHILD}: AlgorithmError: one class only" in reports.message


@pytest.mark.parametrize(("seconds", "kind"), [(3600, "success"), (3599, "failure")])
def test_only_a_search_whose_time_was_over_goes_on_with_what_it_found(
    call: Any, sagemaker: Any, reports: Any, set_env: Any, seconds: int, kind: str
) -> None:
    set_env(TUNED)
    ended = {"HyperParameterTuningEndTime": CREATED + timedelta(seconds=seconds)}
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("Stopped", BestTrainingJob=BEST, **ended))
    sagemaker.answer("DescribeTrainingJob", **job("Completed", name=CHILD))
    sagemaker.answer("ListTrainingJobsForHyperParameterTuningJob", TrainingJobSummaries=[])
    call(token(TUNING_NAME))
    assert reports.only(kind)


def test_a_long_search_is_left_to_the_event_as_soon_as_it_runs(
    call: Any, sagemaker: Any, reports: Any, set_env: Any
) -> None:
    set_env(TUNED)
    sagemaker.answer("DescribeHyperParameterTuningJob", **tuning_job("InProgress"))
    call(token(TUNING_NAME), step="start")
    assert "continuationToken" not in reports.only("success")


def test_an_unknown_kind_of_job_is_refused_by_name(call: Any, reports: Any, set_env: Any) -> None:
    set_env({"job_kind": "processing"})
    call()
    assert "JOB_KIND 'processing'" in reports.message
