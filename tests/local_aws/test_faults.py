"""Faults injected into the local AWS: each happens once, to the thing that it names, and says so."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from local_aws.tiny_pipeline import (
    Bench,
    action,
    make_function,
    make_role,
    open_to_events,
    s3_source,
    step,
    wait_for,
)

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.faults import Faults
from mlops_constructs.local_aws.faults.known import Known
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE = "counted"
# Counts its invocations in a bucket, one object each, and writes at the end; its SDK does not retry.
SOURCE = """
import datetime, os, time, uuid
import boto3
from botocore.config import Config

s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))


def handler(event, context):
    s3.put_object(Bucket="counted", Key=f"begun/{uuid.uuid4().hex}", Body=b"")
    if event.get("tag"):
        s3.put_object_tagging(Bucket="counted", Key=event["tag"], Tagging={"TagSet": []})
    return {"time": time.time(), "now": datetime.datetime.now(datetime.timezone.utc).timestamp(),
            "left": context.get_remaining_time_in_millis()}
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws(docker=False) as aws:
        bench = Bench(aws)
        bench.s3.create_bucket(Bucket=TABLE)
        make_function(aws, "count-calls", SOURCE)
        yield bench


@pytest.fixture
def faults(bench: Bench) -> Iterator[Faults]:
    with Faults(bench.aws, seed=1) as faults:
        yield faults


@pytest.fixture
def role(bench: Bench) -> Any:
    """Clients of a role, which does not retry."""
    iam = bench.aws.client("iam")
    if "caller" not in {one["RoleName"] for one in iam.list_roles()["Roles"]}:
        make_role(bench.aws, "caller", "lambda")
    arn = f"arn:aws:iam::{bench.aws.account_id}:role/caller"
    keys = bench.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return lambda service: bench.aws.client(service, keys)


def begun(bench: Bench) -> int:
    return bench.s3.list_objects_v2(Bucket=TABLE)["KeyCount"]  # type: ignore[no-any-return]


def invoke(bench: Bench, kind: str = "RequestResponse", **event: Any) -> Any:
    answer = bench.aws.client("lambda").invoke(
        FunctionName="count-calls", InvocationType=kind, Payload=json.dumps(event).encode()
    )
    return json.loads(answer["Payload"].read() or b"null")


def test_a_refused_call_is_not_done_and_the_next_one_is(bench: Bench, faults: Faults, role: Any) -> None:
    fault = faults.inject("refuse:s3.PutObject:SlowDown")
    with pytest.raises(ClientError) as refused:
        role("s3").put_object(Bucket=TABLE, Key="refused", Body=b"")
    assert refused.value.response["Error"]["Code"] == "SlowDown"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "refused" not in keys(bench)
    role("s3").put_object(Bucket=TABLE, Key="refused", Body=b"")
    assert fault.fired == 1
    assert fault.firings[0].what == "s3.PutObject of caller/session was refused with SlowDown"


def test_nth_and_times_choose_the_calls(faults: Faults, role: Any) -> None:
    fault = faults.inject("refuse", "sagemaker.ListModels", "ThrottlingException", nth=2, times=2)
    answers = []
    for _ in range(5):
        try:
            role("sagemaker").list_models()
            answers.append("ok")
        except ClientError as error:
            answers.append(error.response["Error"]["Message"])
    assert answers == ["ok", "Rate exceeded", "Rate exceeded", "ok", "ok"]
    assert fault.fired == 2


@pytest.mark.parametrize(("caller", "fired"), [("session", 1), ("call*", 1), ("other", 0)])
def test_only_the_named_caller_is_disturbed(faults: Faults, role: Any, caller: str, fired: int) -> None:
    fault = faults.inject(f"refuse:sagemaker.ListModels:ThrottlingException:caller={caller}")
    try:
        role("sagemaker").list_models()
    except ClientError:
        assert fired
    assert fault.fired == fired


def test_the_administrator_is_never_disturbed(bench: Bench, faults: Faults) -> None:
    fault = faults.inject("refuse:sagemaker.ListModels:ThrottlingException")
    bench.aws.client("sagemaker").list_models()
    assert faults.never_fired == [fault]


@pytest.mark.parametrize(("how", "error"), [("500", ClientError), ("cut", HTTPClientError)])
def test_what_is_lost_was_done(bench: Bench, faults: Faults, role: Any, how: str, error: type[Exception]) -> None:
    fault = faults.inject(f"lose:s3.PutObject:how={how}")
    with pytest.raises(error):
        role("s3").put_object(Bucket=TABLE, Key=f"lost-{how}", Body=b"")
    assert f"lost-{how}" in keys(bench)
    assert fault.fired == 1


def test_a_late_answer_is_the_right_one(faults: Faults, role: Any) -> None:
    faults.inject("delay:sagemaker.ListModels:seconds=0.4")
    began = time.monotonic()
    assert role("sagemaker").list_models()["Models"] == []
    assert time.monotonic() - began >= 0.4


def test_a_request_that_comes_twice_is_done_twice(bench: Bench, faults: Faults, role: Any) -> None:
    bench.s3.put_bucket_versioning(Bucket=TABLE, VersioningConfiguration={"Status": "Enabled"})
    faults.inject("twice:s3.PutObject")
    answer = role("s3").put_object(Bucket=TABLE, Key="twice", Body=b"")
    versions = bench.s3.list_object_versions(Bucket=TABLE, Prefix="twice")["Versions"]
    assert len(versions) == 2
    assert versions[0]["VersionId"] == answer["VersionId"]


@pytest.mark.parametrize(("side", "done"), [("before", 0), ("after", 1)])
def test_a_function_killed_beside_a_call_is_tried_again(bench: Bench, faults: Faults, side: str, done: int) -> None:
    fault = faults.inject(f"kill:count_calls:{side}=s3.PutObject")
    before = begun(bench)
    invoke(bench, "Event")
    wait_for(lambda: begun(bench) == before + done + 1)
    assert fault.firings[0].what == f"count-calls was killed {side} s3.PutObject"


def test_a_killed_function_says_how_it_ended(bench: Bench, faults: Faults) -> None:
    faults.inject("kill:count_calls:before=s3.PutObject")
    answer = invoke(bench)
    assert answer["errorType"] == "Runtime.ExitError"
    assert "signal 9" in answer["errorMessage"]


def test_a_function_invoked_twice_runs_twice(bench: Bench, faults: Faults) -> None:
    before = begun(bench)
    faults.inject("twice-function:count-calls")
    invoke(bench, "Event")
    wait_for(lambda: begun(bench) == before + 2)


@pytest.mark.parametrize("seconds", [86400, -86400])
def test_the_clock_of_a_function_is_wrong_but_not_its_time_limit(bench: Bench, faults: Faults, seconds: int) -> None:
    fault = faults.inject("clock", seconds)
    answer = invoke(bench)
    for told in (answer["time"], answer["now"]):
        assert abs(told - time.time() - seconds) < 60
    assert 0 < answer["left"] <= 10_000
    faults.clear()
    assert abs(invoke(bench)["time"] - time.time()) < 60
    assert fault.fired == 1


@pytest.fixture(scope="module")
def queue(bench: Bench) -> str:
    """A queue that gets every event of the test."""
    sqs, events = bench.aws.client("sqs"), bench.aws.client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = f"arn:aws:sqs:{bench.aws.region}:{bench.aws.account_id}:heard"
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_rule(Name="heard", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="heard", Targets=[{"Id": "queue", "Arn": arn}])
    return str(url)


def heard(bench: Bench, queue: str, *numbers: int) -> list[int]:
    """Emit events, and a last one; give what came before that."""
    for number in (*numbers, -1):
        detail = {"number": number}
        kind = "Last" if number == -1 else "Counted"
        bench.aws.account.emit({"source": "test", "detail-type": kind, "detail": detail})
    found: list[int] = []
    sqs = bench.aws.client("sqs")
    while -1 not in found:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            found.append(json.loads(message["Body"])["detail"]["number"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found[:-1]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("drop", [2]), ("twice-event", [1, 1, 2]), ("reorder", [2, 1]), ("drop:test:nth=2", [1])],
)
def test_events_are_lost_repeated_and_out_of_order(
    bench: Bench, faults: Faults, queue: str, fault: str, expected: list[int]
) -> None:
    made = faults.inject(fault if ":" in fault else f"{fault}:Counted")
    assert heard(bench, queue, 1, 2) == expected
    assert made.fired == 1


def test_something_is_deleted_when_an_action_starts(bench: Bench, faults: Faults) -> None:
    make_function(bench.aws, "step", "def handler(event, context):\n    return None\n")
    bench.upload()
    fault = faults.inject("delete:object:data.csv:at=Dataset")
    execution = bench.make_pipeline("deleting", [s3_source()], [step("One", {})])
    assert bench.finished("deleting", execution) == "Failed"
    assert fault.fired == 1
    assert "data-bucket/data.csv" in fault.firings[0].what


def test_something_is_damaged_beside_a_call(bench: Bench, faults: Faults, role: Any) -> None:
    bench.s3.put_object(Bucket=TABLE, Key="model.tar.gz", Body=b"0123456789")
    faults.inject("damage:model.tar.gz:how=truncate:before=s3.GetObject")
    assert role("s3").get_object(Bucket=TABLE, Key="model.tar.gz")["Body"].read() == b"01234"


def test_what_is_not_there_cannot_be_deleted_and_is_told(faults: Faults) -> None:
    fault = faults.inject("delete:endpoint:production:at=now")
    assert fault.fired == 0
    assert "no single endpoint is named 'production'; there are: none" in fault.problem


def test_a_key_that_is_disabled_says_so(bench: Bench, faults: Faults) -> None:
    kms = bench.aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/team-data", TargetKeyId=key)
    assert faults.inject("key:data:state=disabled:at=now").fired == 1
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert faults.inject("key:data:state=pending-deletion:at=now").fired == 1
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_quota_is_met_when_a_request_is_refused(bench: Bench, faults: Faults) -> None:
    fault = faults.inject("quota:ml.m5.large for endpoint usage:0")
    with pytest.raises(Exception, match="ResourceLimitExceeded"):
        bench.aws.service_quotas.check_instances("ml.m5.large", "endpoint", 0, 1)
    assert fault.firings[0].what == "a request was refused: ml.m5.large for endpoint usage is 0"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("refuze:s3.PutObject:SlowDown", "did you mean 'refuse'?"),
        ("nothing", "twice-event     EventBridge delivers"),
        ("refuse:sagemaker.CreateTrainingJb:X", "did you mean CreateTrainingJob"),
        ("refuse:sagemakr.CreateTrainingJob:X", "did you mean sagemaker"),
        ("refuse:sagemaker.CreateTrainingJob:NoSuchKey", "returns no error 'NoSuchKey'; it returns:"),
        ("refuse:sagemaker.CreateTrainingJob", "code is missing (error code that this operation may return)"),
        ("refuse:ListTags:ThrottlingException", "give one of"),
        ("lose:s3.PutObject:how=slowly", "how must be one of 500, cut"),
        ("lose:s3.PutObject:times=0", "times must be a whole number, at least 1"),
        ("lose:s3.PutObject:chance=2", "chance must be a number above 0, at most 1"),
        ("lose:s3.PutObject:often=2", "'often=2' is not an option; it has: how, times, nth, chance, caller"),
        ("kill:train_model", "give before=OPERATION or after=OPERATION"),
        ("delete:endpoint:production", "when? give at=ACTION"),
        ("delete:bucket:data:at=now", "must be one of object, endpoint"),
        ("stack:production:BROKEN:at=now", "must be a state of a stack: CREATE_IN_PROGRESS"),
        ("crash:serving:how=spot", "only a training job has spot instances"),
        ("quota:ml.m5.large for fun:0", "SageMaker has no quota"),
        ("clock:tomorrow", "must be a number of seconds"),
        ("clock:nan", "must be a number of seconds"),
        ("clock:-inf", "must be a number of seconds"),
    ],
)
def test_what_aws_cannot_have_is_refused_with_what_is_allowed(faults: Faults, text: str, told: str) -> None:
    with pytest.raises(FaultError) as refused:
        faults.inject(text)
    assert told in str(refused.value)
    assert list(faults) == []


def test_the_same_seed_hits_the_same_calls(bench: Bench, role: Any) -> None:
    def hits(seed: int) -> list[bool]:
        with Faults(bench.aws, seed=seed) as faults:
            fault = faults.inject("delay:sagemaker.ListModels:seconds=0.001:times=99:chance=0.5")
            found = []
            for _ in range(12):
                before = fault.fired
                role("sagemaker").list_models()
                found.append(fault.fired > before)
            return found

    assert hits(7) == hits(7)
    assert hits(7) != hits(8)


def test_a_fault_ends(bench: Bench, role: Any) -> None:
    with Faults(bench.aws) as faults:
        fault = faults.inject("refuse:sagemaker.ListModels:ThrottlingException:times=99")
        with pytest.raises(FaultError, match="already"):
            Faults(bench.aws)
    role("sagemaker").list_models()
    assert fault.fired == 0


def keys(bench: Bench) -> set[str]:
    return {one["Key"] for one in bench.s3.list_objects_v2(Bucket=TABLE).get("Contents", [])}


def test_the_actions_of_a_tiny_pipeline_are_not_disturbed_without_a_fault(bench: Bench, faults: Faults) -> None:
    approve = action("Approve", "Manual", {})
    bench.upload()
    execution = bench.make_pipeline("calm", [s3_source()], [approve])
    bench.answer("calm", bench.approval_token("calm"), "Approved")
    assert bench.finished("calm", execution) == "Succeeded"


def throttled_rule(bench: Bench, name: str, **policy: int) -> Callable[[], Any]:
    """Make a rule that starts a pipeline, and a queue of its dead letters; the function receives from the queue."""
    sqs, events = bench.aws.client("sqs"), bench.aws.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{bench.aws.region}:{bench.aws.account_id}:{name}"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to_events(queue)})
    bench.make_pipeline(name, [s3_source()], [action("Approve", "Manual", {})])
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    arn = f"arn:aws:codepipeline:{bench.aws.region}:{bench.aws.account_id}:{name}"
    target = {"Id": name, "Arn": arn, "RoleArn": bench.events_role, "Input": "{}"}
    if policy:
        target["RetryPolicy"] = policy
    events.put_targets(Rule=name, Targets=[{**target, "DeadLetterConfig": {"Arn": queue}}])
    return lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")


def emit_in_vain(bench: Bench, name: str) -> None:
    """Emit the event of a rule, and wait until it could not be delivered."""
    seen: list[str] = []
    bench.aws.add_listener(seen.append)
    bench.aws.account.emit({"source": name, "detail-type": "Something", "detail": {}})
    wait_for(lambda: [line for line in seen if f"event rule {name}: no delivery" in line])
    bench.aws.account.clock.advance(0)


def test_04_an_event_for_a_target_that_is_throttled_is_delivered_later(bench: Bench, faults: Faults) -> None:
    dead, clock = throttled_rule(bench, "later"), bench.aws.account.clock
    known = len(bench.executions("later"))
    fault = faults.inject(
        "refuse", "codepipeline.StartPipelineExecution", "ThrottlingException", caller="rule-later", times=9999
    )
    emit_in_vain(bench, "later")
    assert fault.fired
    clock.advance(hours=23)
    assert len(bench.executions("later")) == known
    assert not dead()
    faults.clear()
    clock.advance(minutes=10)
    wait_for(lambda: len(bench.executions("later")) == known + 1)
    assert not dead()


@pytest.mark.parametrize(
    ("policy", "condition"),
    [
        ({}, "MaximumEventAgeInSeconds"),
        ({"MaximumRetryAttempts": 3}, "MaximumRetryAttempts"),
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts"),
        ({"MaximumEventAgeInSeconds": 3600}, "MaximumEventAgeInSeconds"),
    ],
)
def test_04_an_event_that_was_retried_for_its_time_is_kept_with_the_number_of_attempts(
    bench: Bench, faults: Faults, policy: dict[str, int], condition: str
) -> None:
    name = "-".join(["given-up", *map(str, policy.values())])
    dead, clock = throttled_rule(bench, name, **policy), bench.aws.account.clock
    fault = faults.inject(
        "refuse", "codepipeline.StartPipelineExecution", "ThrottlingException", caller=f"rule-{name}", times=9999
    )
    emit_in_vain(bench, name)
    assert fault.fired
    clock.advance(hours=24, minutes=10)
    (message,) = wait_for(dead)
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "ThrottlingException"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == condition
    assert int(attributes["RETRY_ATTEMPTS"]) == policy.get("MaximumRetryAttempts", int(attributes["RETRY_ATTEMPTS"]))
    assert 0 < int(attributes["RETRY_ATTEMPTS"]) <= 185 or policy.get("MaximumRetryAttempts") == 0
    assert json.loads(message["Body"])["source"] == name


def test_04_an_event_for_a_pipeline_that_takes_no_more_executions_is_kept(bench: Bench, faults: Faults) -> None:
    sqs, events = bench.aws.client("sqs"), bench.aws.client("events")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    queue = f"arn:aws:sqs:{bench.aws.region}:{bench.aws.account_id}:kept"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to_events(queue)})
    bench.make_pipeline("full", [s3_source()], [action("Approve", "Manual", {})])
    events.put_rule(Name="full", EventPattern=json.dumps({"source": ["full"]}))
    arn = f"arn:aws:codepipeline:{bench.aws.region}:{bench.aws.account_id}:full"
    target = {"Id": "full", "Arn": arn, "RoleArn": bench.events_role, "Input": "{}"}
    events.put_targets(Rule="full", Targets=[{**target, "DeadLetterConfig": {"Arn": queue}}])
    code = "ConcurrentPipelineExecutionsLimitExceededException"
    faults.inject("refuse", "codepipeline.StartPipelineExecution", code, caller="rule-full")

    bench.aws.account.emit({"source": "full", "detail-type": "Something", "detail": {}})

    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages"))
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == code
    assert json.loads(message["Body"])["source"] == "full"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kill:no-such:after=s3.PutObject", "no function is named 'no-such'; there are: count-calls"),
        ("twice-function:no-such", "no function is named 'no-such'"),
        ("clock:60:function=no-such", "no function is named 'no-such'"),
        ("delete:topic:people:at=NoSuchAction", "no action is named 'NoSuchAction'; there are: Approve, Dataset"),
        ("time:1h:at=NoSuchAction", "no action is named 'NoSuchAction'"),
        ("quota:ml.m5.larg for endpoint usage:0", "did you mean 'ml.m5.large for endpoint usage'?"),
    ],
)
def test_a_name_that_nothing_has_is_refused_where_all_names_are_known(bench: Bench, text: str, told: str) -> None:
    if not bench.aws.account.moto("codepipeline").list_pipelines()["pipelines"]:
        bench.make_pipeline("known", [s3_source()], [action("Approve", "Manual", {})])
    with Faults(bench.aws, known=Known.of(bench.aws)) as faults:
        with pytest.raises(FaultError) as refused:
            faults.inject(text)
        assert told in str(refused.value)
        assert list(faults) == []
        for fine in ("kill:count_calls:after=s3.PutObject", "time:1h:at=Approve", "delete:topic:people:at=App*"):
            faults.inject(fine)


def test_a_queue_that_refuses_every_message_is_told_by_those_who_send(bench: Bench, faults: Faults, role: Any) -> None:
    sqs, name = bench.aws.client("sqs"), "full-letters"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{bench.aws.region}:{bench.aws.account_id}:{name}"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to_events(queue)})
    make_function(bench.aws, "fails", "def handler(event, context): 1 / 0", DeadLetterConfig={"TargetArn": queue})
    events, topic = bench.aws.client("events"), bench.aws.client("sns").create_topic(Name="closed")["TopicArn"]
    events.put_rule(Name="closed", EventPattern=json.dumps({"source": ["closed"]}))
    events.put_targets(Rule="closed", Targets=[{"Id": "closed", "Arn": topic, "DeadLetterConfig": {"Arn": queue}}])
    told: list[str] = []
    bench.aws.add_listener(told.append)
    role("sqs").send_message(QueueUrl=url, MessageBody="before")

    fault = faults.inject("queue:letters:at=now")

    assert fault.firings[0].what == "the queue full-letters refuses every message"
    with pytest.raises(ClientError, match="AccessDenied"):
        role("sqs").send_message(QueueUrl=url, MessageBody="after")
    bench.aws.account.emit({"source": "closed", "detail-type": "Something", "detail": {}})
    bench.aws.client("lambda").invoke(FunctionName="fails", InvocationType="Event", Payload=b"{}")
    wait_for(lambda: [line for line in told if f"no delivery to the dead-letter queue {queue} either" in line])
    wait_for(lambda: [line for line in told if f"the failed event could not be sent to {queue}" in line])
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 1


def test_the_skew_of_a_function_ends_with_its_fault_and_adds_to_the_clock_of_the_account(
    bench: Bench, faults: Faults
) -> None:
    faults.inject("clock", -3_600)
    bench.aws.clock.advance(days=2)
    assert abs(invoke(bench)["now"] - bench.aws.clock.time() + 3_600) < 60
    faults.clear()
    assert abs(invoke(bench)["now"] - bench.aws.clock.time()) < 60
