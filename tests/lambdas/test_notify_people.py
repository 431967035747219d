"""People are told of a rollback with its reason, and reminded once of an approval that waits."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from notify_people.handler import handler

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINE = "iris-1a2b3c"
TOPIC = "arn:aws:sns:us-east-1:123456789012:iris-1a2b3c-approvals"
STACK = f"{PIPELINE}-production"
STACK_ID = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{STACK}/0a1b2c3d"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NOON = datetime(2026, 1, 14, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _settings(set_env: Callable[..., None]) -> None:
    set_env(
        {
            "pipeline": PIPELINE,
            "topic_arn": TOPIC,
            "reminder_minutes": "60",
            "check_minutes": "15",
            "approval_timeout_minutes": "120",
        }
    )


@pytest.fixture
def sns(script: Callable[[str], Any]) -> Any:
    found = script("sns")
    found.answer("Publish", MessageId="1")
    return found


def stack_event(logical: str, status: str, reason: str | None = None, physical: str = "x") -> dict[str, Any]:
    said = {} if reason is None else {"ResourceStatusReason": reason}
    return {
        "StackId": STACK_ID,
        "EventId": f"{logical}-{status}",
        "StackName": STACK,
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceStatus": status,
        "Timestamp": NOON,
        **said,
    }


def of_stack(status: str, reason: str | None = None) -> dict[str, Any]:
    return stack_event(STACK, status, reason, STACK_ID)


# The newest first, as CloudFormation returns them.
EVENTS = [
    of_stack("UPDATE_ROLLBACK_COMPLETE"),
    stack_event("SlowAnswers", "UPDATE_FAILED", "Resource update cancelled"),
    stack_event("Endpoint", "UPDATE_FAILED", "One or more configured alarms are in ALARM state: ServerErrors"),
    of_stack("UPDATE_IN_PROGRESS", "User Initiated"),
    stack_event("Endpoint", "UPDATE_FAILED", "of an older update"),
]


def rollback(status: str = "UPDATE_ROLLBACK_COMPLETE") -> dict[str, Any]:
    detail = {"stack-id": STACK_ID, "status-details": {"status": status, "status-reason": ""}}
    return {"source": "aws.cloudformation", "detail-type": "CloudFormation Stack Status Change", "detail": detail}


def test_a_rollback_is_told_with_the_first_failure_of_this_update(sns: Any, script: Callable[[str], Any]) -> None:
    script("cloudformation").answer("DescribeStackEvents", StackEvents=EVENTS)
    told = handler(rollback(), None)
    (sent,) = sns.requests["Publish"]
    assert told == {"notified": sent["Subject"]} == {"notified": f"{PIPELINE}: production was rolled back"}
    assert sent["TopicArn"] == TOPIC
    assert "Endpoint: One or more configured alarms are in ALARM state: ServerErrors" in sent["Message"]
    assert "older update" not in sent["Message"]
    for command in ("status", "releases", "logs"):
        assert f"`mlops {command} {PIPELINE}" in sent["Message"]


def test_a_rollback_that_failed_says_what_a_person_must_do(sns: Any, script: Callable[[str], Any]) -> None:
    script("cloudformation").answer("DescribeStackEvents", StackEvents=[of_stack("UPDATE_IN_PROGRESS")])
    handler(rollback("UPDATE_ROLLBACK_FAILED"), None)
    (sent,) = sns.requests["Publish"]
    assert sent["Subject"] == f"{PIPELINE}: production could not be rolled back"
    assert f"continue-update-rollback --stack-name {STACK}" in sent["Message"]
    assert "CloudFormation names no reason." in sent["Message"]


def tick(minutes: float) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"source": "aws.events", "detail-type": "Scheduled Event", "time": at, "detail": {}}


def state(status: str = "InProgress") -> list[dict[str, Any]]:
    latest = {"status": status, "lastStatusChange": NOON, "token": "t"}
    evidence = {"actionName": "Evidence", "latestExecution": {"status": "Succeeded", "lastStatusChange": NOON}}
    return [
        {"stageName": "Source", "actionStates": [{"actionName": "Dataset"}]},
        {
            "stageName": "Approve",
            "latestExecution": {"pipelineExecutionId": EXECUTION, "status": status},
            "actionStates": [evidence, {"actionName": "Approve", "latestExecution": latest}],
        },
    ]


@pytest.mark.parametrize(("minutes", "notified"), [(0, 0), (59.9, 0), (60, 1), (74.9, 1), (75, 0), (119, 0)], ids=str)
def test_an_approval_is_told_of_in_the_first_event_after_its_time(
    sns: Any, script: Callable[[str], Any], minutes: float, notified: int
) -> None:
    script("codepipeline").answer("GetPipelineState", pipelineName=PIPELINE, stageStates=state())
    handler(tick(minutes), None)
    assert len(sns.requests["Publish"]) == notified


def test_the_reminder_names_the_execution_and_the_time_that_is_left(sns: Any, script: Callable[[str], Any]) -> None:
    script("codepipeline").answer("GetPipelineState", pipelineName=PIPELINE, stageStates=state())
    handler(tick(60), None)
    (sent,) = sns.requests["Publish"]
    assert EXECUTION in sent["Message"]
    assert "since 2026-01-14 12:00 UTC" in sent["Message"]
    assert "fails at 2026-01-14 14:00 UTC" in sent["Message"]
    for command in ("status", "approve", "reject"):
        assert f"`mlops {command} {PIPELINE}" in sent["Message"]


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Abandoned"])
def test_nobody_is_reminded_of_an_approval_that_ended(sns: Any, script: Callable[[str], Any], status: str) -> None:
    script("codepipeline").answer("GetPipelineState", pipelineName=PIPELINE, stageStates=state(status))
    assert handler(tick(60), None) == {"notified": None}
    assert sns.requests["Publish"] == []


@pytest.mark.parametrize("stages", [[], [{"stageName": "Approve", "actionStates": [{"actionName": "Approve"}]}]])
def test_a_pipeline_that_never_ran_has_nothing_to_tell(
    sns: Any, script: Callable[[str], Any], stages: list[dict[str, Any]]
) -> None:
    script("codepipeline").answer("GetPipelineState", pipelineName=PIPELINE, stageStates=stages)
    assert handler(tick(60), None) == {"notified": None}
    assert sns.requests["Publish"] == []


def test_an_event_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'Another'"):
        handler({"detail-type": "Another"}, None)
