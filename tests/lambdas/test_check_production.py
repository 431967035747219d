"""A release that could not reach production is refused before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from check_dataset.fleet import check_fleets
from lambdas.lake import FLEET, IRIS, LIMITS, Lake, make_lake

from handler_kit.errors import ConfigurationError
from handler_kit.production import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

STACK = "iris-1a2b3c-production"


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    return make_lake(load_event, set_env, write_document)


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
def test_27_a_stack_that_cannot_be_updated_fails_with_the_command_that_mends_it(
    lake: Lake, reports: Any, script: Callable[[str], Any], status: str, command: str
) -> None:
    in_state(script, status)
    lake.check_new("datasets/iris.csv", IRIS)
    assert f"Stack {STACK} has the status {status}" in reports.message
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


@pytest.mark.parametrize(
    ("slots", "named"), [("both", "still has a challenger"), ("secondary", "in the slot secondary")]
)
def test_what_ab_tests_have_left_is_refused_where_the_pipeline_has_none(
    lake: Lake, reports: Any, script: Callable[[str], Any], slots: str, named: str
) -> None:
    in_state(script, "UPDATE_COMPLETE", Slots=slots)
    lake.check_new("datasets/iris.csv", IRIS)
    assert named in reports.message
    assert "then leave ab_test out" in reports.message
    assert lake.pinned() == {}


@pytest.mark.parametrize(("slots", "ab_test"), [("primary", False), ("both", True)])
def test_one_slot_or_a_pipeline_with_ab_tests_is_not_refused(
    lake: Lake,
    reports: Any,
    script: Callable[[str], Any],
    write_document: Callable[[object], None],
    slots: str,
    ab_test: bool,
) -> None:
    write_document({**LIMITS, "ab_test": ab_test})
    in_state(script, "UPDATE_COMPLETE", Slots=slots)
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def test_before_the_first_release_there_is_no_stack(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def running(**parameters: str) -> Stack:
    """Production as it runs."""
    return Stack(STACK, f"arn:{STACK}", "UPDATE_COMPLETE", {**FLEET, **parameters})


def test_33_a_new_instance_type_is_refused_before_training_where_production_autoscales(
    lake: Lake, reports: Any, script: Callable[[str], Any]
) -> None:
    in_state(script, "UPDATE_COMPLETE", InstanceType="ml.c5.large", Autoscales="true")
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.message == (
        "Production runs on ml.c5.large and scales automatically. While autoscaling is on, SageMaker refuses another"
        " instance type, here ml.m5.large. Release twice: first on ml.c5.large without autoscaling"
        ' (Endpoint(autoscaling=None), or "AutoScaling": null in deployment.json), then on ml.m5.large with it.'
    )
    assert lake.pinned() == {}


@pytest.mark.parametrize("autoscales", ["true", "false"])
def test_an_asked_instance_type_is_judged_against_what_runs(autoscales: str) -> None:
    asked = {"production": {"InstanceType": "ml.c5.large", "Autoscales": autoscales}}
    with pytest.raises(ConfigurationError, match=r"Release twice: first on ml\.m5\.large without"):
        check_fleets(asked, {"production": FLEET}, running())


@pytest.mark.parametrize(
    ("asked", "production"),
    [
        ({}, running()),
        ({"production": {"Autoscales": "false"}}, running()),
        ({"production": {"InstanceType": "ml.c5.large"}}, running(Autoscales="false")),
        ({"production": {"InstanceType": "ml.c5.large"}}, None),
        ({"production": {"InitialInstanceCount": "6"}}, running()),
    ],
)
def test_what_sagemaker_takes_is_taken(asked: dict[str, dict[str, str]], production: Stack | None) -> None:
    check_fleets(asked, {"production": FLEET}, production)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"InitialInstanceCount": "7"}, "would start with 7 instances, and autoscaling would keep 2 to 6"),
        ({"InitialInstanceCount": "1"}, "would start with 1 instances, and autoscaling would keep 2 to 6"),
        ({"MinCapacity": "3"}, "would start with 2 instances, and autoscaling would keep 3 to 6"),
        ({"InstanceType": "ml.t2.medium"}, "burstable T2 instances cannot"),
    ],
)
def test_what_is_asked_counts_together_with_what_is_configured(asked: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        check_fleets({"production": asked}, {"production": FLEET}, None)


def test_a_fleet_that_does_not_scale_has_no_such_limits() -> None:
    asked = {"production": {"InitialInstanceCount": "9", "InstanceType": "ml.t2.medium", "Autoscales": "false"}}
    check_fleets(asked, {"production": FLEET}, None)
