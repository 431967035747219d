"""One execution evaluates once, waits by token, and ends with the program's real reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from run_evaluation.handler import handler

from handler_kit import clients
from handler_kit.documents import merged

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "iris-1a2b3c-3f2b9c1e7d54"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
ROLE = "arn:aws:iam::123456789012:role/iris-1a2b3c-evaluation"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
MODEL = f"s3://iris-artifacts/models/{NAME}/output/model.tar.gz"
HOLDOUT = f"s3://iris-artifacts/datasets/{EXECUTION}/holdout/"
PIPELINE_JOB = "11111111-2222-4333-8444-555555555555"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{NAME}"
NOW = 1_790_000_000
SETTINGS = {
    "artifact_bucket": "artifacts",
    "kms_key_arn": KEY,
    "evaluation_role_arn": ROLE,
    "job_prefix": "iris-1a2b3c",
    "image": "",
    "subnet_ids": "",
    "security_group_ids": "",
}
DOCUMENT: dict[str, Any] = {
    "channel": "holdout",
    "processing_job": {
        "AppSpecification": {"ContainerArguments": ["evaluate"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "Environment": {"MODE": "strict"},
        "Tags": [{"Key": "team", "Value": "risk"}],
    },
}


@pytest.fixture(autouse=True)
def _evaluable(
    set_env: Callable[..., None], write_document: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(SETTINGS)
    write_document(DOCUMENT)
    monkeypatch.setattr("time.time", lambda: float(NOW))


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker").answer("CreateProcessingJob", ProcessingJobArn=ARN)


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    return lambda token=None, **params: handler(load_event("run_evaluation", params=params, token=token), None)


def job(status: str, name: str = NAME, **more: Any) -> dict[str, Any]:
    inputs = [
        {"InputName": "model", "S3Input": {"S3Uri": MODEL}},
        {"InputName": "holdout", "S3Input": {"S3Uri": HOLDOUT}},
    ]
    return {
        "ProcessingJobName": name,
        "ProcessingJobArn": ARN,
        "ProcessingJobStatus": status,
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        "ProcessingInputs": inputs,
        "Environment": {"MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB},
        **more,
    }


def token(name: str = NAME, deadline: int = NOW + 3600) -> str:
    return json.dumps({"v": 1, "awaits": name, "deadline": deadline})


def test_the_first_call_starts_the_job_and_waits(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    assert json.loads(reports.token) == {"v": 1, "awaits": NAME, "deadline": NOW + 23 * 3600}


def test_the_job_reads_model_and_held_out_records_and_writes_its_report(
    call: Any, sagemaker: Any, reports: Any
) -> None:
    call()
    request = sagemaker.requests["CreateProcessingJob"][0]
    places = {
        one["InputName"]: (one["S3Input"]["S3Uri"], one["S3Input"]["LocalPath"]) for one in request["ProcessingInputs"]
    }
    assert places == {
        "model": (MODEL, "/opt/ml/processing/model"),
        "holdout": (HOLDOUT, "/opt/ml/processing/holdout"),
    }
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"s3://artifacts/evaluations/iris-1a2b3c/{NAME}"
    assert output["S3Output"]["LocalPath"] == "/opt/ml/processing/evaluation"


def test_the_job_is_isolated_and_encrypted(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    request = sagemaker.requests["CreateProcessingJob"][0]
    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert request["ProcessingOutputConfig"]["KmsKeyId"] == KEY
    assert request["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == KEY


def test_instances_with_disks_of_their_own_get_no_volume_key(
    call: Any, sagemaker: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    cluster = {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.g5.xlarge"}}}
    write_document({**DOCUMENT, "processing_job": merged(DOCUMENT["processing_job"], cluster)})
    call()
    request = sagemaker.requests["CreateProcessingJob"][0]
    assert "VolumeKmsKeyId" not in request["ProcessingResources"]["ClusterConfig"]
    assert request["ProcessingOutputConfig"]["KmsKeyId"] == KEY


def test_the_image_is_run_with_the_argument_evaluate(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    application = sagemaker.requests["CreateProcessingJob"][0]["AppSpecification"]
    assert application == {"ImageUri": IMAGE, "ContainerArguments": ["evaluate"]}


def test_an_entry_point_and_an_image_of_its_own_are_used(
    call: Any,
    sagemaker: Any,
    reports: Any,
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> None:
    program = {"ContainerEntrypoint": ["python", "/opt/ml/code/judge.py"]}
    write_document({**DOCUMENT, "processing_job": {**DOCUMENT["processing_job"], "AppSpecification": program}})
    set_env({"image": "judge:1"})
    call()
    application = sagemaker.requests["CreateProcessingJob"][0]["AppSpecification"]
    assert application == {"ImageUri": "judge:1", "ContainerEntrypoint": ["python", "/opt/ml/code/judge.py"]}


def test_a_data_set_without_held_out_records_is_refused_before_any_cost(
    call: Any, sagemaker: Any, reports: Any
) -> None:
    call(channels="train,validation")
    assert "no channel 'holdout'" in reports.message
    assert reports.kind == "ConfigurationError"
    assert sagemaker.operations() == []


def test_a_redelivered_event_adopts_the_job(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    sagemaker = script("sagemaker").refuse("CreateProcessingJob", "ResourceInUse")
    sagemaker.answer("DescribeProcessingJob", **job("InProgress"))
    call()
    assert json.loads(reports.token)["awaits"] == NAME


def test_a_retried_stage_gets_a_successor_of_the_failed_job(
    call: Any, script: Callable[[str], Any], reports: Any
) -> None:
    sagemaker = script("sagemaker").refuse("CreateProcessingJob", "ResourceInUse")
    sagemaker.answer("DescribeProcessingJob", **job("Failed", Environment={"MLOPS_PIPELINE_JOB_ID": "an earlier one"}))
    sagemaker.answer("CreateProcessingJob", ProcessingJobArn=ARN)
    call()
    assert json.loads(reports.token)["awaits"] == f"{NAME}-r2"


def test_a_job_of_this_name_that_reads_something_else_is_not_adopted(
    call: Any, script: Callable[[str], Any], reports: Any
) -> None:
    sagemaker = script("sagemaker").refuse("CreateProcessingJob", "ResourceInUse")
    sagemaker.answer("DescribeProcessingJob", **job("InProgress", AppSpecification={"ImageUri": "another"}))
    call()
    assert "image is another, not" in reports.message


@pytest.mark.parametrize(("status", "stopped"), [("Stopped", 1), ("InProgress", 0)])
def test_a_job_started_for_an_execution_that_is_over_is_stopped(
    call: Any, script: Callable[[str], Any], reports: Any, status: str, stopped: int
) -> None:
    sagemaker = script("sagemaker").answer("CreateProcessingJob").answer("StopProcessingJob")
    reports.answer("GetPipelineExecution", pipelineExecution={"status": status})
    call()
    assert sagemaker.requests["StopProcessingJob"] == [{"ProcessingJobName": NAME}] * stopped


def test_a_quota_is_named(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    script("sagemaker").refuse("CreateProcessingJob", "ResourceLimitExceeded", "0 of ml.m5.large.")
    call()
    assert reports.kind == "ConfigurationError"
    assert "ml.m5.large" in reports.message


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_running_job_is_waited_for(call: Any, script: Callable[[str], Any], reports: Any, status: str) -> None:
    script("sagemaker").answer("DescribeProcessingJob", **job(status))
    call(token())
    assert json.loads(reports.token)["deadline"] == NOW + 3600


def test_a_throttled_look_is_no_failure(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    sagemaker = script("sagemaker")
    for _ in range(6):
        sagemaker.refuse("DescribeProcessingJob", "InternalFailure")
    call(token())
    assert json.loads(reports.token)["awaits"] == NAME


def test_a_completed_job_tells_where_its_report_lies(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    script("sagemaker").answer("DescribeProcessingJob", **job("Completed"))
    call(token())
    assert reports.outputs == {
        "EvaluationUri": f"s3://artifacts/evaluations/iris-1a2b3c/{NAME}/evaluation.json",
        "JobName": NAME,
        "JobArn": ARN,
    }


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_did_not_complete_says_why(
    call: Any, script: Callable[[str], Any], reports: Any, status: str
) -> None:
    reasons = {"ExitMessage": "The holdout has no positives.", "FailureReason": "AlgorithmError: exit code: 3"}
    script("sagemaker").answer("DescribeProcessingJob", **job(status, **reasons))
    call(token())
    assert reports.message.startswith(
        f"Processing job {NAME} ended as {status}: The holdout has no positives. AlgorithmError: exit code: 3 Logs: https://"
    )
    assert "ProcessingJobs" in reports.message


def test_a_job_that_says_nothing_is_told_as_such(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    script("sagemaker").answer("DescribeProcessingJob", **job("Stopped"))
    call(token())
    assert "max_runtime_in_seconds" in reports.message


def test_the_wait_ends(call: Any, script: Callable[[str], Any], reports: Any) -> None:
    script("sagemaker").answer("DescribeProcessingJob", **job("InProgress"))
    call(token(deadline=NOW - 1))
    assert "still InProgress after 23 h" in reports.message


@pytest.mark.parametrize("text", ["{}", "x", token("iris-1a2b3c-ffffffffffff"), token(deadline=NOW + 10**9)])
def test_a_forged_token_is_refused(call: Any, sagemaker: Any, reports: Any, text: str) -> None:
    call(text)
    assert "did not write the continuation token" in reports.message


def test_the_program_gets_its_variables_and_those_that_find_the_job_again(
    call: Any, sagemaker: Any, reports: Any
) -> None:
    call()
    assert sagemaker.requests["CreateProcessingJob"][0]["Environment"] == {
        "MODE": "strict",
        "MLOPS_EXECUTION_ID": EXECUTION,
        "MLOPS_PIPELINE_JOB_ID": PIPELINE_JOB,
    }


def test_a_release_that_is_deployed_again_is_not_evaluated_again(call: Any, sagemaker: Any, reports: Any) -> None:
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="artifacts")
    record = {"steps": {"RunEvaluation": {"EvaluationUri": "s3://artifacts/evaluations/old/evaluation.json"}}}
    s3.put_object(Bucket="artifacts", Key="releases/iris-1a2b3c/2.json", Body=json.dumps(record).encode())
    call(release="2")
    assert reports.outputs == {"EvaluationUri": "s3://artifacts/evaluations/old/evaluation.json"}
    assert sagemaker.operations() == []


def test_the_job_carries_the_users_tags(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.requests["CreateProcessingJob"][0]["Tags"]}
    assert tags == {"team": "risk", "mlops:execution-id": EXECUTION}


def test_the_job_runs_in_the_vpc_that_is_given(
    call: Any, sagemaker: Any, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({**SETTINGS, "subnet_ids": "subnet-0a,subnet-0b", "security_group_ids": "sg-0c"})
    call()
    assert sagemaker.requests["CreateProcessingJob"][0]["NetworkConfig"] == {
        "EnableNetworkIsolation": True,
        "VpcConfig": {"Subnets": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0c"]},
    }


def test_without_subnets_the_job_runs_outside_of_any_vpc(call: Any, sagemaker: Any, reports: Any) -> None:
    call()
    assert "VpcConfig" not in sagemaker.requests["CreateProcessingJob"][0]["NetworkConfig"]
