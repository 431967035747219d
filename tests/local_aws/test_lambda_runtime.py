"""Lambda functions run for real: answers, failures, time limits and retries."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import make_function, wait_for, zip_of

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = """
import os, sys
import boto3

calls = 0


def handler(event, context):
    global calls
    calls += 1
    print("event", event)
    if event.get("raise"):
        raise ValueError(event["raise"])
    if event.get("exit"):
        os._exit(3)
    if event.get("quit"):
        sys.exit("quitting")
    return {
        "calls": calls,
        "environment": sorted(os.environ),
        "who": boto3.client("sts").get_caller_identity()["Arn"],
        "left": context.get_remaining_time_in_millis(),
        "name": context.function_name,
    }
"""

# It imports nothing that takes its time.
LATE = """
import time


def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return "in time"
"""

MEETING = """
import os, pathlib, time


def handler(event, context):
    place = pathlib.Path(os.environ["HOME"])
    (place / f"here-{os.getpid()}").touch()
    while len(list(place.glob("here-*"))) < 3:
        time.sleep(0.05)
    print("all three are here")
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        make_function(local, "probe", SOURCE, Timeout=60, Environment={"Variables": {"OWN_SETTING": "x"}})
        yield local


def call(aws: LocalAws, event: dict[str, Any], **more: Any) -> tuple[dict[str, Any], Any]:
    answer = aws.client("lambda").invoke(FunctionName="probe", Payload=json.dumps(event).encode(), **more)
    return answer, json.loads(answer["Payload"].read())


def test_handler_runs_warm_with_its_roles_credentials(aws: LocalAws) -> None:
    _, first = call(aws, {})
    _, second = call(aws, {})
    assert second["calls"] == first["calls"] + 1
    assert first["who"] == f"arn:aws:sts::{aws.account_id}:assumed-role/probe-role/probe"
    assert first["name"] == "probe"
    assert 0 < first["left"] <= 60_000


def test_after_idle_processes_have_ended_a_new_one_starts(aws: LocalAws) -> None:
    _, first = call(aws, {})
    aws.lambda_.end_idle()
    _, second = call(aws, {})
    assert first["calls"] >= second["calls"] == 1


def test_environment_holds_only_what_lambda_gives(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "s")
    _, seen = call(aws, {})
    names = set(seen["environment"])
    assert {"OWN_SETTING", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT"} <= names
    assert all(name.startswith(("AWS_", "LAMBDA_", "OWN_")) or name in ("PATH", "HOME", "LANG", "TZ") for name in names)


def test_raised_error_comes_back_as_lambda_words_it(aws: LocalAws) -> None:
    answer, failure = call(aws, {"raise": "no such thing"})
    assert answer["FunctionError"] == "Unhandled"
    assert failure["errorType"] == "ValueError"
    assert failure["errorMessage"] == "no such thing"
    assert "in handler" in failure["stackTrace"][0]


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        ({"exit": 1}, "Runtime.ExitError", "exit status 3"),
        ({"quit": 1}, "SystemExit", "quitting"),
    ],
)
def test_lost_handler_is_reported_and_replaced(aws: LocalAws, event: dict[str, Any], kind: str, words: str) -> None:
    answer, failure = call(aws, event)
    assert (answer["FunctionError"], failure["errorType"]) == ("Unhandled", kind)
    assert words in failure["errorMessage"]
    assert call(aws, {})[1]["name"] == "probe"


def test_late_handler_is_ended_and_replaced(aws: LocalAws) -> None:
    make_function(aws, "late", LATE, Timeout=5)
    invoke = aws.client("lambda").invoke
    answer = invoke(FunctionName="late", Payload=json.dumps({"sleep": 600}).encode())
    failure = json.loads(answer["Payload"].read())
    assert (answer["FunctionError"], failure["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 5.00 seconds" in failure["errorMessage"]
    assert invoke(FunctionName="late", Payload=b"{}")["Payload"].read() == b'"in time"'


def test_log_goes_to_cloudwatch_and_to_the_caller(aws: LocalAws) -> None:
    answer, _ = call(aws, {"mark": "for the log"}, LogType="Tail")
    assert "for the log" in base64.b64decode(answer["LogResult"]).decode()
    logs = aws.client("logs")
    found = logs.filter_log_events(logGroupName="/aws/lambda/probe", filterPattern="log")["events"]
    assert any("for the log" in event["message"] for event in found)


def test_changed_code_is_what_runs_next(aws: LocalAws) -> None:
    make_function(aws, "changing", "def handler(event, context): return 1")
    client = aws.client("lambda")
    assert client.invoke(FunctionName="changing")["Payload"].read() == b"1"
    new = zip_of({"function.py": "def handler(event, context): return 2"})
    client.update_function_code(FunctionName="changing", ZipFile=new)
    assert client.invoke(FunctionName="changing")["Payload"].read() == b"2"


def test_broken_import_is_an_answer_not_a_crash(aws: LocalAws) -> None:
    make_function(aws, "broken", "import nothing_of_that_name")
    answer = aws.client("lambda").invoke(FunctionName="broken")
    assert json.loads(answer["Payload"].read())["errorType"] == "ModuleNotFoundError"


def test_given_up_event_goes_to_the_dead_letter_queue(aws: LocalAws) -> None:
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    lines: list[str] = []
    aws.add_listener(lines.append)
    make_function(aws, "failing", "def handler(event, context): 1 / 0", DeadLetterConfig={"TargetArn": arn})
    answer = aws.client("lambda").invoke(FunctionName="failing", InvocationType="Event", Payload=b'{"a": 1}')
    assert answer["StatusCode"] == 202
    received = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(received[0]["Body"])["requestPayload"] == {"a": 1}
    attempts = [line for line in lines if line.startswith("lambda failing: attempt")]
    assert [line.split()[3] for line in attempts] == ["1", "2", "3"]


def test_concurrent_events_do_not_wait_for_each_other(aws: LocalAws) -> None:
    make_function(aws, "meeting", MEETING, Timeout=60)
    seen: list[str] = []
    aws.add_listener(seen.append)
    for _ in range(3):
        aws.client("lambda").invoke(FunctionName="meeting", InvocationType="Event", Payload=b"{}")
    wait_for(lambda: sum("all three are here" in line for line in list(seen)) == 3)


def test_what_cannot_run_is_refused_by_name(aws: LocalAws) -> None:
    make_function(aws, "other", "", Runtime="nodejs20.x")
    with pytest.raises(ClientError, match=r"does not run nodejs20\.x"):
        aws.client("lambda").invoke(FunctionName="other")
