"""Events: what S3, CodeCommit and CodePipeline tell, and how rules and targets take it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import (
    ARTIFACTS,
    DATA,
    STEP_SOURCE,
    Bench,
    make_function,
    open_to_events,
    s3_source,
    step,
    wait_for,
)

from mlops_constructs.local_aws.events.target_input import target_input
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = {
    "time": "2026-01-01T00:00:00Z",
    "source": "aws.s3",
    "detail": {"key": 'a"b', "size": 3, "names": ["x", "y"], "object": {"version-id": "v1"}},
}
RULE = "arn:aws:events:us-east-1:123456789012:rule/rule"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        bench.s3.put_bucket_notification_configuration(
            Bucket=DATA, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        make_function(aws, "step", STEP_SOURCE)
        yield bench


class Queue:
    """A queue that rules can write to."""

    def __init__(self, bench: Bench, name: str) -> None:
        self._sqs = bench.aws.client("sqs")
        self.url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = attributes["Attributes"]["QueueArn"]
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": open_to_events(self.arn)})

    def receive(self) -> Any:
        """The next message, deleted, as JSON."""
        received = wait_for(
            lambda: self._sqs.receive_message(QueueUrl=self.url, MessageAttributeNames=["All"]).get("Messages")
        )[0]
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=received["ReceiptHandle"])
        self.attributes = received.get("MessageAttributes", {})
        return json.loads(received["Body"])


def make_rule(bench: Bench, name: str, pattern: dict[str, Any], **target: Any) -> None:
    events = bench.aws.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "only", **target}])


def permit(bench: Bench, function: str, rule: str) -> None:
    """Let a rule invoke a function."""
    bench.aws.client("lambda").add_permission(
        FunctionName=function,
        StatementId=rule,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"arn:aws:events:us-east-1:{bench.aws.account_id}:rule/{rule}",
    )


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('{"key": <key>}', {"key": 'a"b'}),
        ('{"key": "at <key>"}', {"key": 'at a"b'}),
        ('{"size": <size>, "text": "<size>"}', {"size": 3, "text": "3"}),
        ('{"names": <names>}', {"names": ["x", "y"]}),
        ('{"rule": "<aws.events.rule-name>"}', {"rule": "rule"}),
        ('{"key": "<none>"}', {"key": ""}),
    ],
)
def test_input_template_quotes_as_aws_does(template: str, made: dict[str, Any]) -> None:
    paths = {"key": "$.detail.key", "size": "$.detail.size", "names": "$.detail.names", "none": "$.detail.no"}
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    assert json.loads(target_input(target, EVENT, RULE)) == made


def test_string_template_makes_plain_text() -> None:
    transformer = {"InputPathsMap": {"v": "$.detail.object.version-id"}, "InputTemplate": '"version <v>"'}
    assert target_input({"InputTransformer": transformer}, EVENT, RULE) == "version v1"


def test_template_that_makes_no_json_is_an_error() -> None:
    transformer = {"InputPathsMap": {"no": "$.detail.no"}, "InputTemplate": '{"a": <no>}'}
    with pytest.raises(ValueError, match="is not valid JSON"):
        target_input({"InputTransformer": transformer}, EVENT, RULE)


def test_input_path_and_constant_input() -> None:
    assert target_input({"InputPath": "$.detail.names[1]"}, EVENT, RULE) == '"y"'
    assert target_input({"Input": '{"a": 1}'}, EVENT, RULE) == '{"a": 1}'


def test_uploads_in_a_burst_start_one_execution_each_on_their_own_version(bench: Bench) -> None:
    bench.finished("burst", bench.make_pipeline("burst", [s3_source()], [step("One", {})]))
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [DATA]},
            "object": {"key": [{"prefix": "datasets/"}], "size": [{"numeric": [">", 0]}]},
        },
    }
    revision = '{"actionName": "Dataset", "revisionType": "%s", "revisionValue": <%s>}'
    template = ", ".join([revision % ("S3_OBJECT_KEY", "key"), revision % ("S3_OBJECT_VERSION_ID", "version")])
    make_rule(
        bench,
        "uploads",
        pattern,
        Arn=f"arn:aws:codepipeline:us-east-1:{bench.aws.account_id}:burst",
        RoleArn=bench.events_role,
        InputTransformer={
            "InputPathsMap": {"key": "$.detail.object.key", "version": "$.detail.object.version-id"},
            "InputTemplate": '{"sourceRevisions": [' + template + "]}",
        },
    )
    versions = [bench.upload(b"%d" % number, key='datasets/it\'s a "set".csv') for number in range(3)]
    bench.upload(b"", key="datasets/empty.csv")
    bench.upload(b"x", key="elsewhere.csv")
    wait_for(lambda: len(bench.executions("burst")) == 4)
    started = list(reversed(bench.executions("burst")))[1:]
    for version, execution in zip(versions, started, strict=True):
        assert bench.finished("burst", execution["pipelineExecutionId"]) == "Succeeded"
        found = bench.variables("burst", execution["pipelineExecutionId"], "Dataset")
        assert found["VersionId"] == version
    assert len(bench.executions("burst")) == 4
    by_rule = {"triggerType": "CloudWatchEvent", "triggerDetail": RULE.replace("rule/rule", "rule/uploads")}
    assert [one["trigger"] for one in started] == [by_rule] * 3
    by_hand = bench.start("burst")
    trigger = bench.executions("burst")[0]["trigger"]
    assert (trigger["triggerType"], bench.executions("burst")[0]["pipelineExecutionId"]) == (
        "StartPipelineExecution",
        by_hand,
    )
    bench.aws.client("events").disable_rule(Name="uploads")


@pytest.mark.parametrize("reason", ["PutObject", "CopyObject", "CompleteMultipartUpload"])
def test_every_way_of_making_an_object_tells(bench: Bench, reason: str) -> None:
    queue = Queue(bench, reason)
    pattern = {"source": ["aws.s3"], "detail": {"reason": [reason], "object": {"key": [f"made/{reason}"]}}}
    make_rule(bench, reason, pattern, Arn=queue.arn)
    place = {"Bucket": DATA, "Key": f"made/{reason}"}
    if reason == "PutObject":
        bench.s3.put_object(**place, Body=b"abc")
    elif reason == "CopyObject":
        bench.s3.put_object(Bucket=ARTIFACTS, Key="from", Body=b"abc")
        bench.s3.copy_object(**place, CopySource={"Bucket": ARTIFACTS, "Key": "from"})
    else:
        upload = bench.s3.create_multipart_upload(**place)["UploadId"]
        part = bench.s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"abc")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        bench.s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)
    event = queue.receive()
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["bucket"] == {"name": DATA}
    head = bench.s3.head_object(**place)
    assert event["detail"]["object"] == {
        "key": place["Key"],
        "size": 3,
        "etag": head["ETag"].strip('"'),
        "version-id": head["VersionId"],
    }


def test_bucket_without_the_setting_tells_nothing(bench: Bench) -> None:
    queue = Queue(bench, "silent")
    make_rule(bench, "silent", {"source": ["aws.s3", "test"], "detail": {"mark": ["x"]}}, Arn=queue.arn)
    make_rule(bench, "any", {"detail": {"bucket": {"name": [ARTIFACTS]}}}, Arn=queue.arn)
    bench.s3.put_object(Bucket=ARTIFACTS, Key="quiet", Body=b"abc")
    bench.aws.account.emit({"source": "test", "detail-type": "after", "detail": {"mark": "x"}})
    assert queue.receive()["detail-type"] == "after"


def test_commit_tells_which_branch_moved(bench: Bench) -> None:
    queue = Queue(bench, "commits")
    make_rule(bench, "commits", {"source": ["aws.codecommit"]}, Arn=queue.arn)
    codecommit = bench.aws.client("codecommit")
    codecommit.create_repository(repositoryName="told")
    wanted = {"repositoryName": "told", "branchName": "main"}
    first = codecommit.create_commit(**wanted, putFiles=[{"filePath": "a", "fileContent": b"1"}])["commitId"]
    begun = queue.receive()["detail"]
    assert (begun["event"], begun["referenceName"], begun["commitId"]) == ("referenceCreated", "main", first)
    codecommit.put_file(**wanted, filePath="a", fileContent=b"2", parentCommitId=first)
    moved = queue.receive()["detail"]
    assert (moved["event"], moved["oldCommitId"]) == ("referenceUpdated", first)


def test_rejection_is_told_with_the_approvers_words(bench: Bench) -> None:
    queue = Queue(bench, "rejections")
    pattern = {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"pipeline": ["told"], "stage": ["Stage2"], "state": ["FAILED"]},
    }
    make_rule(bench, "rejections", pattern, Arn=queue.arn)
    bench.upload()
    approve = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    stage = [{"name": "Approve", "actionTypeId": approve}]
    execution = bench.make_pipeline("told", [s3_source()], stage)
    bench.answer("told", bench.approval_token("told"), "Rejected", "worse than before")
    detail = queue.receive()["detail"]
    assert detail["execution-id"] == execution
    assert detail["execution-result"]["external-execution-summary"] == "worse than before"
    assert detail["type"]["provider"] == "Manual"


def test_lambda_target_gets_the_whole_event(bench: Bench) -> None:
    seen: list[str] = []
    bench.aws.add_listener(seen.append)
    arn = make_function(bench.aws, "listener", "def handler(event, context): print('got', event['id'])")
    make_rule(bench, "to-lambda", {"source": ["mine"]}, Arn=arn)
    permit(bench, "listener", "to-lambda")
    answer = bench.aws.client("events").put_events(
        Entries=[
            {"Source": "mine", "DetailType": "t", "Detail": "{}"},
            {"Source": "mine", "DetailType": "t", "Detail": "not json"},
        ]
    )
    assert answer["FailedEntryCount"] == 1
    wait_for(lambda: f"lambda listener: got {answer['Entries'][0]['EventId']}" in seen)


def test_04_undeliverable_event_goes_to_the_dead_letter_queue_of_the_target(bench: Bench) -> None:
    seen: list[str] = []
    bench.aws.add_listener(seen.append)
    queue = Queue(bench, "dead")
    make_rule(
        bench,
        "to-nowhere",
        {"source": ["lost"]},
        Arn=f"arn:aws:codepipeline:us-east-1:{bench.aws.account_id}:deleted",
        RoleArn=bench.events_role,
        DeadLetterConfig={"Arn": queue.arn},
    )
    bench.aws.account.emit({"source": "lost", "detail-type": "t", "detail": {}})
    assert queue.receive()["source"] == "lost"
    assert queue.attributes["ERROR_CODE"]["StringValue"] == "PipelineNotFoundException"
    assert any("no delivery to the target" in line for line in seen)


def test_function_that_does_not_permit_the_rule_is_not_invoked(bench: Bench) -> None:
    seen: list[str] = []
    bench.aws.add_listener(seen.append)
    arn = make_function(bench.aws, "closed", "def handler(event, context): print('invoked')")
    make_rule(bench, "closed", {"source": ["knocking"]}, Arn=arn)
    permit(bench, "closed", "another-rule")
    bench.aws.account.emit({"source": "knocking", "detail-type": "t", "detail": {}})
    reason = f"perform: lambda:InvokeFunction on resource: {arn} because no resource-based policy allows"
    wait_for(lambda: any(reason in line for line in seen))
    assert not any("invoked" in line for line in seen)


def test_role_that_events_may_not_assume_is_a_reason(bench: Bench) -> None:
    seen: list[str] = []
    bench.aws.add_listener(seen.append)
    arn = f"arn:aws:codepipeline:us-east-1:{bench.aws.account_id}:any"
    make_rule(bench, "wrong-role", {"source": ["trustless"]}, Arn=arn, RoleArn=bench.role)
    bench.aws.account.emit({"source": "trustless", "detail-type": "t", "detail": {}})
    wait_for(lambda: any("Could not assume role" in line for line in seen))
