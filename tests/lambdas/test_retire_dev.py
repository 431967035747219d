"""DEV is deleted after the decision, whatever comes late, twice or in another order; never one that is needed."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from retire_dev import handler as entry
from retire_dev.handler import handler
from retire_dev.retire import MAX_WAIT_SECONDS, await_dev, retire
from retire_dev.settings import Params, Settings

from handler_kit.report import Continue

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "iris-1a2b3c"
STACK = f"{NAME}-dev"
OURS, THEIRS = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17", "11111111-7d54-4a8e-9c61-0b5d2e8f4a17"
ROLE = "arn:aws:iam::123456789012:role/iris-1a2b3c-deploy-dev"
ARN = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{STACK}/0a1b2c3d"
SETTINGS = Settings(NAME, STACK, ROLE)


@pytest.fixture(autouse=True)
def _settings(set_env: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    set_env({"pipeline": NAME, "dev_stack": STACK, "deploy_role_arn": ROLE})
    monkeypatch.setattr(entry.time, "sleep", lambda _: None)


def stack(owner: str | None, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    known = [] if owner is None else [{"ParameterKey": "ExecutionId", "ParameterValue": owner}]
    return {"StackName": STACK, "StackId": ARN, "StackStatus": status, "Parameters": known}


@pytest.fixture
def cloudformation(script: Callable[[str], Any]) -> Any:
    return script("cloudformation")


def dev(cloudformation: Any, *stacks: dict[str, Any] | None) -> None:
    """What DEV is, look after look."""
    for one in stacks:
        if one is None:
            cloudformation.refuse("DescribeStacks", "ValidationError", f"Stack with id {STACK} does not exist")
        else:
            cloudformation.answer("DescribeStacks", Stacks=[one])
    cloudformation.answer("DeleteStack")


def deleted(cloudformation: Any) -> list[dict[str, str]]:
    return list(cloudformation.requests["DeleteStack"])


BY_ITS_ID = [{"StackName": ARN, "RoleARN": ROLE}]


def event(state: str = "SUCCEEDED", execution: str = OURS, **detail: str) -> dict[str, Any]:
    return {"detail": {"pipeline": NAME, "execution-id": execution, "state": state, **detail}}


def approval(execution: str = OURS, state: str = "SUCCEEDED") -> dict[str, Any]:
    return event(state, execution, stage="Approve", action="Approve")


def awaited(load_event: Callable[..., dict[str, Any]], token: str | None = None) -> None:
    handler(load_event("await_dev", token=token), None)


def test_a_free_dev_is_deployed_at_once(load_event: Any, reports: Any, cloudformation: Any) -> None:
    dev(cloudformation, None)
    awaited(load_event)
    assert reports.only("success")["executionDetails"]["summary"] == f"Stack {STACK} is free"


@pytest.mark.parametrize("owner", [THEIRS, None])
def test_what_another_execution_left_is_deleted_and_awaited(
    load_event: Any, reports: Any, cloudformation: Any, owner: str | None
) -> None:
    dev(cloudformation, stack(owner))
    awaited(load_event)
    assert deleted(cloudformation) == BY_ITS_ID
    assert json.loads(reports.token)["awaits"] == STACK


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
)
def test_the_executions_own_stack_is_left_alone(
    load_event: Any, reports: Any, cloudformation: Any, status: str
) -> None:
    dev(cloudformation, stack(OURS, status))
    awaited(load_event)
    assert deleted(cloudformation) == []
    assert "continuationToken" not in reports.only("success")


@pytest.mark.parametrize(
    ("owner", "status"), [(OURS, "DELETE_IN_PROGRESS"), (THEIRS, "DELETE_IN_PROGRESS"), (THEIRS, "CREATE_IN_PROGRESS")]
)
def test_a_stack_that_changes_is_awaited(
    load_event: Any, reports: Any, cloudformation: Any, owner: str, status: str
) -> None:
    dev(cloudformation, stack(owner, status))
    awaited(load_event)
    assert deleted(cloudformation) == []
    assert reports.token


def test_a_stack_that_cannot_be_deleted_is_told_with_the_command(
    load_event: Any, reports: Any, cloudformation: Any
) -> None:
    dev(cloudformation, stack(THEIRS, "DELETE_FAILED"), stack(THEIRS, "DELETE_FAILED"))
    awaited(load_event)
    assert deleted(cloudformation) == BY_ITS_ID
    token = reports.token
    reports.requests.clear()
    awaited(load_event, token)
    assert f"aws cloudformation delete-stack --stack-name {STACK} (if it fails again" in reports.message
    assert "with --deletion-mode FORCE_DELETE_STACK); then retry the stage with all its actions" in reports.message
    assert deleted(cloudformation) == BY_ITS_ID


def test_the_wait_ends(load_event: Any, reports: Any, cloudformation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dev(cloudformation, *[stack(THEIRS, "DELETE_IN_PROGRESS")] * 2)
    awaited(load_event)
    token = reports.token
    reports.requests.clear()
    later = entry.time.time() + MAX_WAIT_SECONDS + 1
    monkeypatch.setattr(entry.time, "time", lambda: later)
    awaited(load_event, token)
    assert reports.message == (
        f"Stack {STACK} is still DELETE_IN_PROGRESS after 2 h. See its events, and retry the stage"
        " with all its actions when it is deleted."
    )


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"])
def test_an_execution_that_has_ended_needs_no_dev(reports: Any, cloudformation: Any, status: str) -> None:
    dev(cloudformation, stack(OURS))
    reports.answer("GetPipelineExecution", pipelineExecution={"status": status})
    handler(event("FAILED"), None)
    assert deleted(cloudformation) == BY_ITS_ID


def test_an_execution_that_codepipeline_has_forgotten_needs_no_dev(reports: Any, cloudformation: Any) -> None:
    dev(cloudformation, stack(OURS))
    reports.refuse("GetPipelineExecution", "PipelineExecutionNotFoundException")
    handler(event(execution=THEIRS), None)
    assert deleted(cloudformation) == BY_ITS_ID


def test_an_approval_frees_dev_before_the_history_knows_of_it(reports: Any, cloudformation: Any) -> None:
    dev(cloudformation, stack(OURS))
    handler(approval(), None)
    assert deleted(cloudformation) == BY_ITS_ID
    assert reports.operations() == []


@pytest.mark.parametrize(
    "late", [event("FAILED"), event("SUCCEEDED", THEIRS), approval(THEIRS), approval(OURS, "FAILED")], ids=str
)
def test_dev_of_an_execution_that_waits_for_approval_stays(reports: Any, cloudformation: Any, late: Any) -> None:
    dev(cloudformation, stack(OURS))
    reports.answer("GetPipelineExecution", pipelineExecution={"status": "InProgress"})
    reports.answer("ListActionExecutions", actionExecutionDetails=[])
    handler(late, None)
    assert deleted(cloudformation) == []


@pytest.mark.parametrize("now", [None, stack(OURS, "DELETE_IN_PROGRESS")], ids=["gone", "going"])
def test_a_second_delivery_does_nothing(cloudformation: Any, reports: Any, now: Any) -> None:
    dev(cloudformation, now)
    handler(approval(), None)
    assert deleted(cloudformation) == []
    assert reports.operations() == []


def test_a_stack_that_is_still_created_is_deleted_afterwards(reports: Any, cloudformation: Any) -> None:
    dev(cloudformation, stack(OURS, "CREATE_IN_PROGRESS"), stack(OURS))
    for _ in range(2):
        reports.answer("GetPipelineExecution", pipelineExecution={"status": "Stopped"})
    handler(event("STOPPED"), None)
    assert deleted(cloudformation) == BY_ITS_ID


def test_a_stack_that_never_stops_changing_is_delivered_again(cloudformation: Any) -> None:
    dev(cloudformation, *[stack(OURS, "CREATE_IN_PROGRESS")] * 52)
    with pytest.raises(TimeoutError, match="still changing after 13 minutes"):
        handler(approval(), None)
    assert deleted(cloudformation) == []


@pytest.mark.parametrize("foreign", [{}, {"detail": {"pipeline": "another", "state": "FAILED"}}])
def test_a_foreign_event_deletes_nothing(cloudformation: Any, foreign: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not about the pipeline"):
        handler(foreign, None)
    assert cloudformation.operations() == []


class World:
    """DEV, and executions that come to it while earlier ones still wait for their approval."""

    def __init__(self) -> None:
        self.ids = itertools.count()
        self.stack: dict[str, Any] | None = None
        self.status: dict[str, str] = {}
        self.approved: set[str] = set()
        self.comes: str | None = None

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        if self.stack is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        return {"Stacks": [self.stack]}

    def delete_stack(self, **asked: str) -> None:
        if self.stack is not None and self.stack["StackId"] == asked["StackName"]:
            owner = self.stack["Parameters"][0]["ParameterValue"]
            ended = owner in self.approved or self.status[owner] != "InProgress"
            assert ended or self.comes not in (None, owner), "a DEV that is needed was deleted"
            self.stack = None

    def get_pipeline_execution(self, **asked: str) -> dict[str, Any]:
        return {"pipelineExecution": {"status": self.status[asked["pipelineExecutionId"]]}}

    def get_paginator(self, _: str) -> World:
        return self

    def paginate(self, *, filter: dict[str, str], **_: Any) -> list[dict[str, Any]]:
        done = {"stageName": "Approve", "actionName": "Approve", "status": "Succeeded", "startTime": 0}
        return [{"actionExecutionDetails": [done] if filter["pipelineExecutionId"] in self.approved else []}]

    def deploy(self, execution: str) -> None:
        """AwaitDev, as often as it asks for, and then Deploy."""
        self.status[execution], self.comes = "InProgress", execution
        token = None
        while isinstance(found := await_dev(Params(execution), SETTINGS, self, token, now=0), Continue):
            token = found.token.encode()
        assert self.stack is None
        self.comes = None
        self.stack = {**stack(execution), "StackId": f"{ARN}{next(self.ids)}"}

    def end(self, execution: str, how: str) -> dict[str, Any]:
        """Approve, or end otherwise; return the event."""
        if how == "approve":
            self.approved.add(execution)
            return approval(execution)
        self.status[execution] = how
        return event(how.upper(), execution)

    def deliver(self, events: list[dict[str, Any]]) -> None:
        for one in events:
            retire(one, SETTINGS, self, self, pause=lambda _: None)


@given(st.data())
def test_in_any_order_dev_is_gone_in_the_end_and_never_too_early(data: st.DataObject) -> None:
    world, waiting, late = World(), list[str](), list[dict[str, Any]]()
    for number in range(data.draw(st.integers(1, 5))):
        execution = f"execution-{number}"
        world.deploy(execution)
        waiting.append(execution)
        for one in data.draw(st.lists(st.sampled_from(waiting), unique=True)):
            waiting.remove(one)
            late.append(world.end(one, data.draw(st.sampled_from(["approve", "Failed", "Stopped", "Succeeded"]))))
        world.deliver(data.draw(st.lists(st.sampled_from(late), max_size=4)) if late else [])
        assert world.stack is not None or execution not in waiting
    late += [world.end(one, "Failed") for one in waiting]
    world.deliver(late)
    assert world.stack is None
