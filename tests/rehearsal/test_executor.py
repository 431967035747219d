"""Pipelines executed by the local AWS, seen through the CodePipeline API."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from rehearsal.tiny_pipeline import (
    ARTIFACTS,
    DATA,
    STEP_SOURCE,
    Bench,
    action,
    make_function,
    s3_source,
    step,
    wait_for,
)

from mlops_constructs.rehearsal.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        yield bench


def approval(**configuration: str) -> dict[str, object]:
    return action("Approve", "Manual", configuration)


def test_creating_a_pipeline_starts_its_first_execution(bench: Bench) -> None:
    execution = bench.make_pipeline("first", [s3_source()], [step("One", {"value": "x"})])
    assert bench.finished("first", execution) == "Succeeded"
    assert bench.executions("first")[0]["trigger"]["triggerType"] == "CreatePipeline"


def test_variables_reach_later_actions(bench: Bench) -> None:
    version = bench.upload()
    execution = bench.make_pipeline(
        "variables",
        [s3_source()],
        [
            step("One", {"value": "#{Dataset.VersionId}"}, runOrder=1),
            step("Two", {"value": "#{One.Value} of #{codepipeline.PipelineExecutionId}"}, runOrder=2),
        ],
    )
    assert bench.finished("variables", execution) == "Succeeded"
    assert bench.variables("variables", execution, "Two")["Value"] == f"{version} of {execution}"


def test_unresolvable_variable_fails_its_action(bench: Bench) -> None:
    execution = bench.make_pipeline("unresolved", [s3_source()], [step("One", {"value": "#{Dataset.Nope}"})])
    assert bench.finished("unresolved", execution) == "Failed"
    error = bench.error("unresolved", execution, "One")
    assert error["code"] == "ConfigurationError"
    assert "#{Dataset.Nope} cannot be resolved: Dataset has BucketName" in error["message"]


def test_same_run_order_runs_together_and_the_next_waits(bench: Bench) -> None:
    stage = [step("Slow", {"turns": 2}), step("Quick", {}), step("Last", {}, runOrder=2)]
    execution = bench.make_pipeline("order", [s3_source()], stage)
    assert bench.finished("order", execution) == "Succeeded"
    runs = bench.actions("order", execution)
    assert runs["Quick"]["startTime"] < runs["Slow"]["lastUpdateTime"]
    assert runs["Last"]["startTime"] >= runs["Slow"]["lastUpdateTime"]


def test_continuation_token_brings_a_new_job(bench: Bench) -> None:
    execution = bench.make_pipeline("continued", [s3_source()], [step("One", {"turns": 2})])
    assert bench.finished("continued", execution) == "Succeeded"
    assert bench.variables("continued", execution, "One")["Turns"] == "2"


def test_lambda_writes_its_output_artifact_with_the_credentials_of_the_job(bench: Bench) -> None:
    outputs = [{"name": "Release"}]
    execution = bench.make_pipeline("artifact", [s3_source()], [step("One", {}, outputArtifacts=outputs)])
    assert bench.finished("artifact", execution) == "Succeeded"
    place = bench.actions("artifact", execution)["One"]["output"]["outputArtifacts"][0]["s3location"]
    assert place["bucket"] == ARTIFACTS
    assert place["key"].startswith("artifact/Release/")
    assert bench.s3.get_object(Bucket=ARTIFACTS, Key=place["key"])["Body"].read() == b"made"


def test_reported_failure_carries_its_reason(bench: Bench) -> None:
    execution = bench.make_pipeline("failing", [s3_source()], [step("One", {"fail": "too few rows"})])
    assert bench.finished("failing", execution) == "Failed"
    run = bench.actions("failing", execution)["One"]["output"]["executionResult"]
    assert run["errorDetails"] == {"code": "JobFailed", "message": "too few rows"}
    assert run["externalExecutionId"] == "log-1"
    assert bench.executions("failing")[0]["statusSummary"] == "Stage2/One: too few rows"


def test_crashing_handler_fails_its_action_after_lambdas_retries(bench: Bench) -> None:
    execution = bench.make_pipeline("crashing", [s3_source()], [step("One", {"crash": "boom"})])
    assert bench.finished("crashing", execution) == "Failed"
    message = bench.error("crashing", execution, "One")["message"]
    assert message == "the Lambda function step failed: RuntimeError: boom"


def test_approval_lets_the_execution_go_on(bench: Bench) -> None:
    execution = bench.make_pipeline("approved", [s3_source()], [approval()], [step("One", {})])
    bench.answer("approved", bench.approval_token("approved"), "Approved", "looks good")
    assert bench.finished("approved", execution) == "Succeeded"
    result = bench.actions("approved", execution)["Approve"]["output"]["executionResult"]
    assert result["externalExecutionSummary"] == "looks good"


def test_rejection_stops_the_execution(bench: Bench) -> None:
    execution = bench.make_pipeline("rejected", [s3_source()], [approval()], [step("One", {})])
    token = bench.approval_token("rejected")
    bench.answer("rejected", token, "Rejected", "too slow")
    assert bench.finished("rejected", execution) == "Failed"
    assert bench.error("rejected", execution, "Approve")["message"] == "rejected: too slow"
    assert "One" not in bench.actions("rejected", execution)
    with pytest.raises(ClientError, match="ApprovalAlreadyCompletedException"):
        bench.answer("rejected", token, "Approved")


def test_approval_asks_over_sns(bench: Bench) -> None:
    topic = bench.aws.client("sns").create_topic(Name="people")["TopicArn"]
    sqs = bench.aws.client("sqs")
    queue = sqs.create_queue(QueueName="people")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bench.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    question = approval(NotificationArn=topic, CustomData="data #{Dataset.ObjectKey}")
    bench.make_pipeline("asking", [s3_source()], [question])
    token = bench.approval_token("asking")
    body = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    asked = json.loads(body["Message"])["approval"]
    assert (asked["token"], asked["customData"]) == (token, "data data.csv")
    bench.answer("asking", token, "Approved")


def test_wrong_approval_token_is_refused(bench: Bench) -> None:
    bench.make_pipeline("token", [s3_source()], [approval()])
    right = bench.approval_token("token")
    with pytest.raises(ClientError, match="InvalidApprovalTokenException"):
        bench.answer("token", "00000000-0000-0000-0000-000000000000", "Approved")
    bench.answer("token", right, "Approved")


def test_queued_executions_take_turns(bench: Bench) -> None:
    first = bench.make_pipeline("queue", [s3_source()], [approval()])
    second, third = bench.start("queue"), bench.start("queue")
    for execution in (first, second, third):
        token = bench.approval_token("queue")
        state = bench.codepipeline.get_pipeline_state(name="queue")["stageStates"][1]
        assert state["latestExecution"]["pipelineExecutionId"] == execution
        bench.answer("queue", token, "Approved")
        assert bench.finished("queue", execution) == "Succeeded"


def test_superseded_execution_never_starts(bench: Bench) -> None:
    first = bench.make_pipeline("newest", [s3_source()], [approval()], executionMode="SUPERSEDED")
    bench.approval_token("newest")
    second, third = bench.start("newest"), bench.start("newest")
    assert bench.finished("newest", second) == "Superseded"
    for execution in (first, third):
        bench.answer("newest", bench.approval_token("newest"), "Approved")
        assert bench.finished("newest", execution) == "Succeeded"


def test_stop_and_wait_lets_the_action_end(bench: Bench) -> None:
    execution = bench.make_pipeline("stopped", [s3_source()], [approval()], [step("One", {})])
    token = bench.approval_token("stopped")
    asked = {"pipelineName": "stopped", "pipelineExecutionId": execution}
    bench.codepipeline.stop_pipeline_execution(**asked, reason="enough")
    assert bench.status("stopped", execution) == "Stopping"
    bench.answer("stopped", token, "Approved")
    assert bench.finished("stopped", execution) == "Stopped"
    assert bench.executions("stopped")[0]["stopTrigger"] == {"reason": "enough"}
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppableException"):
        bench.codepipeline.stop_pipeline_execution(**asked)


def test_abandoned_approval_ends_at_once(bench: Bench) -> None:
    execution = bench.make_pipeline("abandoned", [s3_source()], [approval()])
    bench.approval_token("abandoned")
    bench.codepipeline.stop_pipeline_execution(pipelineName="abandoned", pipelineExecutionId=execution, abandon=True)
    assert bench.finished("abandoned", execution) == "Stopped"
    assert bench.actions("abandoned", execution)["Approve"]["status"] == "Abandoned"


def test_retry_runs_only_what_failed(bench: Bench) -> None:
    wanted = {"fail_unless_exists": f"{DATA}/mended"}
    stage = [step("Fine", {}), step("Broken", wanted), step("After", {}, runOrder=2)]
    execution = bench.make_pipeline("retried", [s3_source()], stage)
    assert bench.finished("retried", execution) == "Failed"
    fine = bench.actions("retried", execution)["Fine"]["actionExecutionId"]
    bench.upload(key="mended")
    bench.codepipeline.retry_stage_execution(
        pipelineName="retried", stageName="Stage2", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    assert bench.finished("retried", execution) == "Succeeded"
    runs = bench.actions("retried", execution)
    assert runs["Fine"]["actionExecutionId"] == fine
    assert runs["After"]["status"] == "Succeeded"


def test_only_a_failed_stage_can_be_retried(bench: Bench) -> None:
    execution = bench.make_pipeline("whole", [s3_source()], [step("One", {})])
    bench.finished("whole", execution)
    with pytest.raises(ClientError, match="StageNotRetryableException"):
        bench.codepipeline.retry_stage_execution(
            pipelineName="whole", stageName="Stage2", pipelineExecutionId=execution, retryMode="ALL_ACTIONS"
        )


def test_missing_source_object_is_named(bench: Bench) -> None:
    execution = bench.make_pipeline("missing", [s3_source(S3ObjectKey="none.csv")], [approval()])
    assert bench.finished("missing", execution) == "Failed"
    message = bench.error("missing", execution, "Dataset")["message"]
    assert message == f"there is no object s3://{DATA}/none.csv"


def test_source_revision_override_takes_that_version(bench: Bench) -> None:
    old = bench.upload(b"old", key="other.csv")
    bench.upload(b"new", key="other.csv")
    bench.make_pipeline("override", [s3_source()], [step("One", {})])
    overrides = [
        {"actionName": "Dataset", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.csv"},
        {"actionName": "Dataset", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old},
    ]
    execution = bench.start("override", sourceRevisions=overrides)
    assert bench.finished("override", execution) == "Succeeded"
    place = bench.actions("override", execution)["Dataset"]["output"]["outputArtifacts"][0]["s3location"]
    assert bench.s3.get_object(Bucket=ARTIFACTS, Key=place["key"])["Body"].read() == b"old"


def test_key_override_must_be_allowed(bench: Bench) -> None:
    bench.make_pipeline("fixed-key", [s3_source(AllowOverrideForS3ObjectKey="false")], [step("One", {})])
    override = {"actionName": "Dataset", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.csv"}
    execution = bench.start("fixed-key", sourceRevisions=[override])
    assert bench.finished("fixed-key", execution) == "Failed"
    assert "may not be overridden" in bench.error("fixed-key", execution, "Dataset")["message"]


def test_codecommit_source_gives_the_commit_as_a_zip(bench: Bench) -> None:
    codecommit = bench.aws.client("codecommit")
    codecommit.create_repository(repositoryName="code")
    train = {"filePath": "train", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"}
    commit = codecommit.create_commit(
        repositoryName="code", branchName="main", commitMessage="begin", putFiles=[train]
    )["commitId"]
    source = action(
        "Code",
        "CodeCommit",
        {"RepositoryName": "code", "BranchName": "main", "PollForSourceChanges": "false"},
        namespace="Code",
        outputArtifacts=[{"name": "Code"}],
    )
    execution = bench.make_pipeline("code", [source], [step("One", {"value": "#{Code.CommitMessage}"})])
    assert bench.finished("code", execution) == "Succeeded"
    assert bench.variables("code", execution, "Code")["CommitId"] == commit
    assert bench.variables("code", execution, "One")["Value"] == "begin"
    place = bench.actions("code", execution)["Code"]["output"]["outputArtifacts"][0]["s3location"]
    body = bench.s3.get_object(Bucket=ARTIFACTS, Key=place["key"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.getinfo("train").external_attr >> 16 == 0o100755


def test_unknown_provider_is_refused_by_name(bench: Bench) -> None:
    execution = bench.make_pipeline("jenkins", [s3_source()], [action("Build", "Jenkins", {})])
    assert bench.finished("jenkins", execution) == "Failed"
    message = bench.error("jenkins", execution, "Build")["message"]
    assert message == "the local AWS does not do the provider Build/AWS/Jenkins"


def test_pipeline_variables_must_be_declared(bench: Bench) -> None:
    declared = [{"name": "who", "defaultValue": "nobody"}]
    first = bench.make_pipeline(
        "declared", [s3_source()], [step("One", {"value": "#{variables.who}"})], variables=declared
    )
    assert bench.finished("declared", first) == "Succeeded"
    assert bench.variables("declared", first, "One")["Value"] == "nobody"
    second = bench.start("declared", variables=[{"name": "who", "value": "me"}])
    assert bench.finished("declared", second) == "Succeeded"
    assert bench.variables("declared", second, "One")["Value"] == "me"
    with pytest.raises(ClientError, match="has no variable where"):
        bench.start("declared", variables=[{"name": "where", "value": "here"}])


def test_same_client_token_starts_one_execution(bench: Bench) -> None:
    bench.make_pipeline("token-once", [s3_source()], [step("One", {})])
    started = {bench.start("token-once", clientRequestToken="abc") for _ in range(3)}
    assert len(started) == 1


def test_second_report_on_a_job_is_refused(bench: Bench) -> None:
    bench.make_pipeline("twice", [s3_source()], [step("One", {})])
    with pytest.raises(ClientError, match="JobNotFoundException"):
        bench.codepipeline.put_job_success_result(jobId="00000000-0000-0000-0000-000000000000")
    executor = bench.aws.services["codepipeline"].executor  # type: ignore[attr-defined]
    job = wait_for(lambda: next((job for job in executor.jobs.values() if job.is_done()), None))
    with pytest.raises(ClientError, match="InvalidJobStateException"):
        bench.codepipeline.put_job_success_result(jobId=job.id)


def test_configuration_value_over_the_limit_is_refused(bench: Bench) -> None:
    with pytest.raises(ClientError, match="must have length less than or equal to 1000"):
        bench.make_pipeline("long", [s3_source()], [step("One", {"value": "x" * 1000})])


def test_stage_that_retries_on_failure_is_run_twice(bench: Bench) -> None:
    wanted = {"result": "RETRY", "retryConfiguration": {"retryMode": "FAILED_ACTIONS"}}
    stages = [
        {"name": "Stage1", "actions": [s3_source()]},
        {"name": "Stage2", "actions": [step("One", {"fail": "again"})], "onFailure": wanted},
    ]
    execution = bench.make_pipeline("stubborn", stages=stages)
    assert bench.finished("stubborn", execution) == "Failed"
    runs = bench.codepipeline.list_action_executions(pipelineName="stubborn")["actionExecutionDetails"]
    assert [run["actionName"] for run in runs] == ["One", "One", "Dataset"]


def test_stage_conditions_are_refused_by_name(bench: Bench) -> None:
    stages = [
        {"name": "Stage1", "actions": [s3_source()]},
        {
            "name": "Stage2",
            "actions": [step("One", {})],
            "beforeEntry": {"conditions": [{"result": "FAIL"}]},
        },
    ]
    execution = bench.make_pipeline("conditional", stages=stages)
    assert bench.finished("conditional", execution) == "Failed"
    summary = bench.executions("conditional")[0]["statusSummary"]
    assert summary == "the local AWS does not do beforeEntry of the stage Stage2"
