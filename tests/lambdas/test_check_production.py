"""A release that could not reach production is refused before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lambdas.lake import IRIS, Lake, make_lake

if TYPE_CHECKING:
    from collections.abc import Callable

STACK = "iris-1a2b3c-production"


@pytest.fixture
def lake(load_event: Callable[..., dict[str, Any]], set_env: Callable[..., None]) -> Lake:
    return make_lake(load_event, set_env)


def in_state(script: Callable[[str], Any], status: str, **parameters: str) -> None:
    """The production stack in a state."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    stack = {"StackName": STACK, "StackId": f"arn:{STACK}", "StackStatus": status, "Parameters": given}
    script("cloudformation").answer("DescribeStacks", Stacks=[stack])


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name iris-1a2b3c-production"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name iris-1a2b3c-production"),
        ("DELETE_FAILED", "aws cloudformation delete-stack --stack-name iris-1a2b3c-production"),
    ],
)
def test_a_stack_that_cannot_be_updated_fails_with_the_command_that_mends_it(
    lake: Lake, reports: Any, script: Callable[[str], Any], status: str, command: str
) -> None:
    in_state(script, status)
    lake.check_new("datasets/iris.csv", IRIS)
    assert f"Stack {STACK} is in {status}" in reports.message
    assert f"Run: {command}" in reports.message
    assert lake.pinned() == {}


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"],
)
def test_a_stack_that_can_be_updated_or_deleted_first_stands_in_nobodys_way(
    lake: Lake, reports: Any, script: Callable[[str], Any], status: str
) -> None:
    in_state(script, status)
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def test_before_the_first_release_there_is_no_stack(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"
