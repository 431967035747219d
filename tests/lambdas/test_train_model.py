"""One execution trains once, waits by token, and ends with SageMaker's real reason."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from train_model.handler import handler

from handler_kit import clients
from handler_kit.console import log_link
from handler_kit.documents import merged
from handler_kit.errors import ConfigurationError
from handler_kit.training_jobs import TrainingJobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "iris-1a2b3c-3f2b9c1e7d54"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
ROLE = "arn:aws:iam::123456789012:role/iris-1a2b3c-training"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
PIPELINE_JOB = "11111111-2222-4333-8444-555555555555"
DATASET = "s3://iris-1a2b3c-artifacts-123456789012-us-east-1/datasets/3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NOW = 1_790_000_000
SETTINGS = {
    "artifact_bucket": "artifacts",
    "kms_key_arn": KEY,
    "training_role_arn": ROLE,
    "pipeline": "iris-1a2b3c",
    "image_parameter": "/iris-1a2b3c/image",
    "job_prefix": "iris-1a2b3c",
    "subnet_ids": "",
    "security_group_ids": "",
}
DOCUMENT: dict[str, Any] = {
    "training_job": {
        "AlgorithmSpecification": {
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "validation:accuracy", "Regex": "validation:accuracy=([0-9.eE+-]+);"},
            ],
        },
        "HyperParameters": {"trees": "100"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "Environment": {"MODE": "fast"},
        "Tags": [],
    },
    "tuning_job": None,
    "channels": {},
    "channel": {
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated"},
        },
    },
    "held_out_channel": None,
    "fallback_instance_types": [],
    "capacity_retries": 2,
    "source_sha256": None,
    "hourly_prices_usd": {},
    "max_training_usd": None,
}


def asking(**members: Any) -> dict[str, Any]:
    """The document with other members in the request."""
    return {**DOCUMENT, "training_job": merged(DOCUMENT["training_job"], members)}


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
    return lambda token=None: handler(load_event("train_model", token=token), None)


def job(status: str, **more: Any) -> dict[str, Any]:
    """What DescribeTrainingJob answers about the job of the sample event."""
    name = more.pop("name", NAME)
    inputs = [
        {"ChannelName": channel, "DataSource": {"S3DataSource": {"S3Uri": f"{DATASET}/{channel}/"}}}
        for channel in ("train", "validation")
    ]
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "TrainingJobStatus": status,
        "AlgorithmSpecification": {"TrainingImage": IMAGE},
        "RoleArn": ROLE,
        "InputDataConfig": inputs,
        "Environment": {"MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB},
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://artifacts/models/iris-1a2b3c/{name}/output/model.tar.gz"},
        "CreationTime": datetime(2026, 1, 14, tzinfo=timezone.utc),
        **more,
    }


def token(name: str = NAME, deadline: int = NOW + 3600) -> str:
    return json.dumps({"v": 1, "awaits": name, "deadline": deadline})


def test_the_first_call_starts_the_job_and_waits(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    assert sagemaker.operations() == ["CreateTrainingJob"]
    assert json.loads(reports.token) == {"v": 1, "awaits": NAME, "deadline": NOW + 23 * 3600}


def test_the_job_is_named_after_the_execution(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    assert sagemaker.requests["CreateTrainingJob"][0]["TrainingJobName"] == NAME


def test_the_job_reads_each_channel_of_the_pinned_data_set(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    channels = sagemaker.requests["CreateTrainingJob"][0]["InputDataConfig"]
    found = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in channels}
    assert found == {"train": f"{DATASET}/train/", "validation": f"{DATASET}/validation/"}


def test_the_job_is_what_the_data_set_asks_for(
    load_event: Callable[..., dict[str, Any]], sagemaker: Any, reports: Any
) -> None:
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="artifacts")
    wanted = {"HyperParameters": {"depth": "3"}, "ResourceConfig": {"InstanceType": "ml.c5.xlarge"}}
    columns = {"MLOPS_COLUMNS": '{"names": ["a", "b"],', "MLOPS_COLUMNS_2": ' "header": true}'}
    channels = {"train": {"ContentType": "application/x-parquet"}}
    asked = {"training": wanted, "endpoints": {}, "columns": columns, "channels": channels}
    s3.put_object(Bucket="artifacts", Key="datasets/x/request.json", Body=json.dumps(asked).encode())
    handler(load_event("train_model", params={"request_uri": "s3://artifacts/datasets/x/request.json"}), None)
    request = sagemaker.requests["CreateTrainingJob"][0]
    assert columns.items() <= request["Environment"].items()
    assert request["Environment"]["MODE"] == "fast"
    types = {one["ChannelName"]: one["ContentType"] for one in request["InputDataConfig"]}
    assert types == {"train": "application/x-parquet", "validation": "text/csv"}
    assert request["HyperParameters"] == {"trees": "100", "depth": "3"}
    assert request["ResourceConfig"]["InstanceType"] == "ml.c5.xlarge"
    assert request["ResourceConfig"]["VolumeSizeInGB"] == 10


def test_an_instance_type_that_the_data_set_asks_for_has_no_stand_in(
    load_event: Callable[..., dict[str, Any]],
    sagemaker: Any,
    reports: Any,
    write_document: Callable[[object], None],
) -> None:
    write_document({**DOCUMENT, "fallback_instance_types": ["ml.g5.xlarge"]})
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="artifacts")
    asked = {"training": {"ResourceConfig": {"InstanceType": "ml.c5.xlarge"}}, "endpoints": {}}
    s3.put_object(Bucket="artifacts", Key="datasets/x/request.json", Body=json.dumps(asked).encode())
    sagemaker.refuse("CreateTrainingJob", "CapacityError")
    handler(load_event("train_model", params={"request_uri": "s3://artifacts/datasets/x/request.json"}), None)
    types = [request["ResourceConfig"]["InstanceType"] for request in sagemaker.requests["CreateTrainingJob"]]
    assert types == ["ml.c5.xlarge", "ml.c5.xlarge"]


def test_the_job_never_gets_the_held_out_channel(
    call: Any, sagemaker: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document({**DOCUMENT, "held_out_channel": "validation"})
    call()
    channels = sagemaker.requests["CreateTrainingJob"][0]["InputDataConfig"]
    assert [one["ChannelName"] for one in channels] == ["train"]


def test_the_job_is_isolated_and_encrypted(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    request = sagemaker.requests["CreateTrainingJob"][0]
    assert request["EnableNetworkIsolation"] is True
    assert request["EnableInterContainerTrafficEncryption"] is False
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://artifacts/models/iris-1a2b3c/", "KmsKeyId": KEY}


def test_many_instances_encrypt_what_they_tell_each_other(
    call: Any, sagemaker: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document(asking(ResourceConfig={"InstanceCount": 2}))
    call()
    assert sagemaker.requests["CreateTrainingJob"][0]["EnableInterContainerTrafficEncryption"] is True


def test_without_a_key_none_is_asked_for(call: Any, sagemaker: Any, reports: Any, set_env: Callable[..., None]) -> None:
    set_env({"kms_key_arn": ""})
    call()
    assert "KmsKeyId" not in json.dumps(sagemaker.requests["CreateTrainingJob"][0])


def test_the_job_carries_settings_and_lineage(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    request = sagemaker.requests["CreateTrainingJob"][0]
    execution = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
    assert request["HyperParameters"] == {"trees": "100"}
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    written = DOCUMENT["training_job"]["AlgorithmSpecification"]
    assert request["AlgorithmSpecification"] == {**written, "TrainingImage": IMAGE}
    assert request["Environment"] == {
        "MODE": "fast",
        "MLOPS_EXECUTION_ID": execution,
        "MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB,
        "MLOPS_CAPACITY_RETRIES": "0",
    }
    assert {"Key": "mlops:execution-id", "Value": execution} in request["Tags"]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "document.json of the function's archive: must have capacity_retries, channel"),
        ({**DOCUMENT, "more": 1}, "document.json of the function's archive: must have capacity_retries, channel"),
        ([], "document.json of the function's archive: must have capacity_retries, channel"),
    ],
)
def test_a_document_of_another_form_is_refused_before_any_cost(
    call: Any, sagemaker: Any, reports: Any, write_document: Callable[[object], None], document: object, problem: str
) -> None:
    write_document(document)
    call()
    assert reports.kind == "ConfigurationError"
    assert reports.message.startswith(problem)
    assert sagemaker.operations() == []


def test_a_missing_document_is_named(call: Any, sagemaker: Any, reports: Any, tmp_path: Path) -> None:
    (tmp_path / "document.json").unlink()
    call()
    assert reports.message.startswith("document.json of the function's archive cannot be read")
    assert sagemaker.operations() == []


@pytest.mark.parametrize("value", ["none", " "])
def test_51_a_placeholder_instead_of_an_image_says_build_first(
    call: Any, sagemaker: Any, reports: Any, value: str
) -> None:
    clients.client("ssm").put_parameter(Name="/iris-1a2b3c/image", Value=value, Type="String", Overwrite=True)
    call()
    assert "Build the image first" in reports.message
    assert "iris-1a2b3c-image" in reports.message
    assert sagemaker.operations() == []


def test_51_a_missing_image_parameter_says_build_first(call: Any, sagemaker: Any, reports: Any) -> None:
    clients.client("ssm").delete_parameter(Name="/iris-1a2b3c/image")
    call()
    assert reports.kind == "ConfigurationError"
    assert "SSM parameter /iris-1a2b3c/image" in reports.message


@pytest.mark.parametrize("status", ["InProgress", "Completed", "Stopping"])
def test_01_a_redelivered_event_adopts_its_job(call: Any, sagemaker: Any, reports: Any, status: str) -> None:
    sagemaker.refuse("CreateTrainingJob", "ResourceInUse").answer("DescribeTrainingJob", **job(status))
    call()
    assert json.loads(reports.token)["awaits"] == NAME
    assert len(sagemaker.requests["CreateTrainingJob"]) == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"AlgorithmSpecification": {"TrainingImage": "other"}}, "image is other, not"),
        ({"RoleArn": "arn:other"}, "role is arn:other, not"),
        ({"InputDataConfig": []}, "input is \\[\\], not"),
    ],
)
def test_a_foreign_job_of_the_same_name_is_not_adopted(
    call: Any, sagemaker: Any, reports: Any, change: dict[str, Any], what: str
) -> None:
    sagemaker.refuse("CreateTrainingJob", "ResourceInUse")
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", **change))
    call()
    assert f"Training job {NAME} exists already and is another training" in reports.message
    assert what.replace("\\", "") in reports.message


def test_a_retried_stage_gets_a_second_attempt(call: Any, sagemaker: Any, reports: Any) -> None:
    earlier = job("Failed", Environment={"MLOPS_PIPELINE_JOB_ID": "an earlier try"})
    sagemaker.refuse("CreateTrainingJob", "ResourceInUse").answer("DescribeTrainingJob", **earlier)
    call()
    assert json.loads(reports.token)["awaits"] == f"{NAME}-r2"


def test_a_late_second_delivery_does_not_repeat_a_job_that_failed(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("CreateTrainingJob", "ResourceInUse").answer("DescribeTrainingJob", **job("Failed"))
    call()
    assert json.loads(reports.token)["awaits"] == NAME
    assert len(sagemaker.requests["CreateTrainingJob"]) == 1


def test_attempts_end(call: Any, sagemaker: Any, reports: Any) -> None:
    for _ in range(9):
        sagemaker.refuse("CreateTrainingJob", "ResourceInUse")
        sagemaker.answer("DescribeTrainingJob", **job("Failed", Environment={}))
    call()
    assert "and its 8 successors have all failed" in reports.message


def test_06_a_quota_is_named_with_the_instance_type(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("CreateTrainingJob", "ResourceLimitExceeded", "The limit is 0 Instances.")
    call()
    assert reports.kind == "ConfigurationError"
    assert "1 x ml.m5.large" in reports.message
    assert "The limit is 0 Instances." in reports.message
    assert len(sagemaker.requests["CreateTrainingJob"]) == 1


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_running_job_is_awaited_with_the_same_deadline(call: Any, sagemaker: Any, reports: Any, status: str) -> None:
    sagemaker.answer("DescribeTrainingJob", **job(status, SecondaryStatus="Training"))
    call(token())
    assert json.loads(reports.token) == json.loads(token())


@pytest.mark.parametrize("status", ["Stopped", "Failed", "Superseded", "Cancelled"])
def test_14_a_job_started_for_an_execution_that_is_over_is_stopped(
    call: Any, sagemaker: Any, reports: Any, status: str
) -> None:
    reports.answer("GetPipelineExecution", pipelineExecution={"status": status})
    sagemaker.answer("CreateTrainingJob").answer("StopTrainingJob")
    call()
    assert sagemaker.requests["StopTrainingJob"] == [{"TrainingJobName": NAME}]
    assert reports.message == f"The execution is {status}, so training job {NAME} was stopped."


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_of_an_execution_that_goes_on_is_not_stopped(
    call: Any, sagemaker: Any, reports: Any, status: str
) -> None:
    reports.answer("GetPipelineExecution", pipelineExecution={"status": status})
    sagemaker.answer("CreateTrainingJob")
    call()
    assert sagemaker.requests["StopTrainingJob"] == []
    assert json.loads(reports.token)["awaits"] == NAME


def test_05_a_throttled_start_is_asked_for_again(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("CreateTrainingJob", "ThrottlingException")
    call()
    asked = json.loads(reports.token)
    assert (asked["awaits"], asked["asked_by"]) == (NAME, PIPELINE_JOB)
    sagemaker.answer("CreateTrainingJob")
    call(json.dumps(asked))
    assert json.loads(reports.requests["PutJobSuccessResult"][1]["continuationToken"]) == {
        "v": 1,
        "awaits": NAME,
        "deadline": asked["deadline"],
    }


def test_05_a_throttled_look_at_a_job_to_adopt_leaves_it_alone(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("CreateTrainingJob", "ResourceInUse").refuse("DescribeTrainingJob", "ThrottlingException")
    call()
    assert json.loads(reports.token)["asked_by"] == PIPELINE_JOB
    assert sagemaker.requests["StopTrainingJob"] == []


def test_a_throttled_start_of_a_retried_stage_does_not_take_the_failed_job_for_its_own(
    call: Any, sagemaker: Any, reports: Any
) -> None:
    earlier = job("Failed", Environment={"MLOPS_PIPELINE_JOB_ID": "an earlier try"})
    sagemaker.refuse("CreateTrainingJob", "ResourceInUse").answer("DescribeTrainingJob", **earlier)
    sagemaker.answer("CreateTrainingJob")
    call(json.dumps({"v": 1, "awaits": NAME, "deadline": NOW + 60, "asked_by": PIPELINE_JOB}))
    assert json.loads(reports.token)["awaits"] == f"{NAME}-r2"


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailable"])
def test_05_a_throttled_look_waits_on(call: Any, sagemaker: Any, reports: Any, code: str) -> None:
    sagemaker.refuse("DescribeTrainingJob", code)
    call(token())
    assert json.loads(reports.token) == json.loads(token())


def test_a_forbidden_look_fails_with_the_reason(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("DescribeTrainingJob", "AccessDeniedException", "Not authorized.")
    call(token())
    assert reports.kind == "PermissionError"
    assert "Not authorized." in reports.message


def test_a_completed_job_gives_its_outputs(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Completed", TrainingTimeInSeconds=61))
    call(token())
    assert reports.outputs == {
        "JobName": NAME,
        "JobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{NAME}",
        "Image": IMAGE,
        "ModelDataUrl": f"s3://artifacts/models/iris-1a2b3c/{NAME}/output/model.tar.gz",
    }


def test_start_and_poll_meet_in_moto(call: Any, reports: Any) -> None:
    call()
    call(reports.token)
    assert reports.requests["PutJobSuccessResult"][1]["outputVariables"]["JobName"] == NAME


@pytest.mark.parametrize("status", ["Failed", "Stopped", "Deleting", "SomethingNew"])
def test_12_13_a_job_that_did_not_complete_fails_with_its_reason_and_log(
    call: Any, sagemaker: Any, reports: Any, status: str
) -> None:
    sagemaker.answer("DescribeTrainingJob", **job(status, FailureReason="AlgorithmError: one class only"))
    call(token())
    assert f"Training job {NAME} ended as {status}: AlgorithmError: one class only" in reports.message
    link = reports.only("failure")["failureDetails"]["externalExecutionId"]
    assert link.startswith("https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups")
    assert NAME in link


def test_13_a_job_that_ran_too_long_says_what_to_raise(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Stopped", SecondaryStatus="MaxRuntimeExceeded"))
    call(token())
    assert "(MaxRuntimeExceeded); raise max_runtime_in_seconds" in reports.message


def test_a_job_without_capacity_is_started_again(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("Failed", FailureReason="CapacityError: Unable."))
    call(token())
    assert json.loads(reports.token) == json.loads(token(f"{NAME}-r2"))


def test_capacity_is_not_asked_for_for_ever(call: Any, sagemaker: Any, reports: Any) -> None:
    name = f"{NAME}-r3"
    tried = {"MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB, "MLOPS_CAPACITY_RETRIES": "2"}
    sagemaker.answer(
        "DescribeTrainingJob", **job("Failed", name=name, FailureReason="CapacityError: Unable.", Environment=tried)
    )
    call(token(name))
    assert "CapacityError: Unable." in reports.message
    assert sagemaker.requests["CreateTrainingJob"] == []


def test_13_a_wait_past_the_deadline_fails(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress"))
    call(token(deadline=NOW - 1))
    assert f"Training job {NAME} is still InProgress" in reports.message
    assert "after 23 h" in reports.message


def sent(seconds: int) -> dict[str, Any]:
    """What AWS's response says of the time."""
    return {"ResponseMetadata": {"HTTPHeaders": {"date": formatdate(NOW + seconds, usegmt=True)}}}


def test_60_a_clock_that_jumps_ahead_ends_no_wait(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress"), **sent(-86_400))
    call(token(deadline=NOW - 1))
    assert json.loads(reports.token)["deadline"] == NOW - 1


def test_60_a_wait_that_is_over_by_the_time_of_aws_too_ends(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeTrainingJob", **job("InProgress"), **sent(0))
    call(token(deadline=NOW - 1))
    assert "after 23 h" in reports.message


def test_60_the_wait_that_a_late_clock_began_is_as_long_as_any(call: Any, sagemaker: Any, reports: Any) -> None:
    began = datetime.fromtimestamp(NOW - 600, timezone.utc)
    sagemaker.answer("DescribeTrainingJob", **job("InProgress", CreationTime=began), **sent(0))
    call(token(deadline=NOW - 3600))
    assert json.loads(reports.token)["deadline"] == NOW - 600 + 23 * 3600


def test_throttling_does_not_outlast_the_deadline(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("DescribeTrainingJob", "ThrottlingException")
    call(token(deadline=NOW - 1))
    assert "after 23 h" in reports.message


@pytest.mark.parametrize(
    "forged",
    ["{}", token("another-job"), token(f"{NAME}-r99"), token(f"{NAME}0"), token(deadline=NOW + 60 * 3600)],
)
def test_a_forged_token_fails_without_a_call(call: Any, sagemaker: Any, reports: Any, forged: str) -> None:
    call(forged)
    assert "This action did not write the continuation token" in reports.message
    assert sagemaker.operations() == []


@given(prefix=st.text(max_size=70), attempt=st.integers(1, 9))
def test_any_prefix_gives_a_valid_name_or_is_refused(prefix: str, attempt: int) -> None:
    name, problem = "iris", "JOB_PREFIX"
    jobs = TrainingJobs(None, prefix)
    try:
        name = jobs.name("3f2b9c1e-7d54", attempt)
        assert jobs.attempt_of(name, "3f2b9c1e-7d54") == attempt
    except ConfigurationError as error:
        problem = str(error)
    assert problem.startswith("JOB_PREFIX")
    assert re.fullmatch("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)


def test_an_execution_id_without_digits_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 12 hex digits"):
        TrainingJobs(None, "iris").name("3f2b")


def test_the_log_link_keeps_to_its_partition() -> None:
    link = log_link("arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:training-job/iris", TrainingJobs.log_group)
    assert link == (
        "https://console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#logsV2:log-groups/log-group/"
        "$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Diris$252F"
    )
