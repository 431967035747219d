"""Executions steered: approvals, queues, stops and retries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import (
    DATA,
    STEP_SOURCE,
    Bench,
    action,
    make_function,
    s3_source,
    step,
)

from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.roles import role_credentials

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


def test_38_an_approval_that_nobody_answers_expires_and_the_next_execution_proceeds(bench: Bench) -> None:
    stages = [[s3_source()], [{**approval(), "timeoutInMinutes": 5}], [step("One", {})]]
    first = bench.make_pipeline("expired", *stages)
    bench.approval_token("expired")
    bench.aws.clock.advance(minutes=5)
    assert bench.finished("expired", first) == "Failed"
    assert bench.error("expired", first, "Approve")["message"] == "nobody approved or rejected within 5 minutes"
    assert "externalExecutionSummary" not in bench.actions("expired", first)["Approve"]["output"]["executionResult"]
    second = bench.start("expired")
    bench.answer("expired", bench.approval_token("expired"), "Approved")
    assert bench.finished("expired", second) == "Succeeded"


def test_it_is_on_record_who_answered(bench: Bench) -> None:
    execution = bench.make_pipeline("answered", [s3_source()], [approval()], [step("One", {})])
    lead = bench.aws.client("codepipeline", role_credentials(bench.aws.account, bench.role, "ada"))
    result = {"status": "Approved", "summary": "seen"}
    token = bench.approval_token("answered")
    lead.put_approval_result(
        pipelineName="answered", stageName="Stage2", actionName="Approve", token=token, result=result
    )
    assert bench.finished("answered", execution) == "Succeeded"
    assert bench.actions("answered", execution)["Approve"]["updatedBy"].endswith(":assumed-role/pipeline-role/ada")
    assert "updatedBy" not in bench.actions("answered", execution)["One"]


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


def test_an_approval_whose_topic_is_gone_fails_with_its_name(bench: Bench) -> None:
    topic = bench.aws.client("sns").create_topic(Name="gone")["TopicArn"]
    bench.aws.client("sns").delete_topic(TopicArn=topic)
    execution = bench.make_pipeline("nobody", [s3_source()], [approval(NotificationArn=topic)])
    assert bench.finished("nobody", execution) == "Failed"
    assert topic in bench.error("nobody", execution, "Approve")["message"]


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


def test_same_client_token_starts_one_execution(bench: Bench) -> None:
    bench.make_pipeline("token-once", [s3_source()], [step("One", {})])
    started = {bench.start("token-once", clientRequestToken="abc") for _ in range(3)}
    assert len(started) == 1


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
