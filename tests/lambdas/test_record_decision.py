"""The person's decision reaches the model registry, and only undecided packages are rejected."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from record_decision.handler import handler

from handler_kit import clients
from handler_kit.errors import ConfigurationError, StepFailure

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "iris-1a2b3c"
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NOON = datetime(2026, 1, 14, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _registry(set_env: Callable[..., None]) -> None:
    set_env({"model_package_group": GROUP, "pipeline": "iris-1a2b3c"})
    for group in (GROUP, "another"):
        clients.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)


def package(status: str = "PendingManualApproval", group: str = GROUP) -> str:
    answer = clients.client("sagemaker").create_model_package(ModelPackageGroupName=group, ModelApprovalStatus=status)
    return answer["ModelPackageArn"]


def registered(arn: str) -> dict[str, Any]:
    return clients.client("sagemaker").describe_model_package(ModelPackageName=arn)


def action(stage: str, name: str, status: str, hours: int = 0, **output: Any) -> dict[str, Any]:
    started = NOON + timedelta(hours=hours)
    return {"stageName": stage, "actionName": name, "status": status, "startTime": started, "output": output}


def register(arn: str, hours: int = 0) -> dict[str, Any]:
    return action("Evaluate", "Register", "Succeeded", hours, outputVariables={"ModelPackageArn": arn})


def rejection(summary: str, hours: int = 2) -> dict[str, Any]:
    return action("Approve", "Approve", "Failed", hours, executionResult={"externalExecutionSummary": summary})


@pytest.fixture
def approve(load_event: Callable[..., dict[str, Any]]) -> Callable[[str], None]:
    return lambda arn: handler(load_event("record_approval", params={"model_package_arn": arn}), None)


@pytest.fixture
def reject(load_event: Callable[..., dict[str, Any]], reports: Any) -> Callable[..., None]:
    def reject(*actions: dict[str, Any], **detail: str) -> None:
        reports.answer("ListActionExecutions", actionExecutionDetails=list(actions))
        event = load_event("record_rejection")
        event["detail"] |= detail
        handler(event, None)

    return reject


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_an_approval_marks_the_package(approve: Any, reports: Any, status: str) -> None:
    arn = package(status)
    approve(arn)
    reports.only("success")
    assert registered(arn)["ModelApprovalStatus"] == "Approved"


def test_a_second_delivery_of_an_approval_changes_nothing(
    approve: Any, reports: Any, script: Callable[[str], Any]
) -> None:
    sagemaker = script("sagemaker")
    arn = package("Approved")
    approve(arn)
    reports.only("success")
    assert sagemaker.requests["UpdateModelPackage"] == []


def test_a_package_of_another_group_is_not_approved(approve: Any, reports: Any) -> None:
    arn = package(group="another")
    approve(arn)
    assert f"Model package {arn} is not of the group {GROUP}" in reports.message
    assert registered(arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_rejection_marks_the_package_with_the_summary(reject: Any) -> None:
    arn = package()
    reject(register(arn), rejection("Drifts on petals."))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"
    assert registered(arn)["ApprovalDescription"] == (
        f"Not approved in pipeline execution {EXECUTION}: Drifts on petals."
    )


def test_a_rejection_asks_for_its_own_execution(reject: Any, reports: Any) -> None:
    reject(register(package()), rejection("No."))
    assert reports.requests["ListActionExecutions"] == [
        {"pipelineName": "iris-1a2b3c", "filter": {"pipelineExecutionId": EXECUTION}}
    ]


def test_a_rejection_reports_no_job(reject: Any, reports: Any) -> None:
    reject(register(package()), rejection("No."))
    assert reports.all == []


def test_an_approval_that_nobody_answered_is_told_as_such(reject: Any) -> None:
    arn = package()
    reject(register(arn), action("Approve", "Approve", "Failed"))
    assert registered(arn)["ApprovalDescription"].endswith("no reason was given.")


def test_the_register_action_is_found_on_a_later_page(reject: Any, reports: Any) -> None:
    arn = package()
    reports.answer("ListActionExecutions", actionExecutionDetails=[rejection("No.")], nextToken="more")
    reject(register(arn))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"


def test_of_two_registrations_the_newest_counts(reject: Any) -> None:
    old, new = package(), package()
    reject(register(old, hours=0), register(new, hours=1), rejection("No."))
    assert registered(new)["ModelApprovalStatus"] == "Rejected"
    assert registered(old)["ModelApprovalStatus"] == "PendingManualApproval"


@pytest.mark.parametrize("status", ["Rejected", "Approved"])
def test_a_package_that_is_decided_upon_stays(reject: Any, script: Callable[[str], Any], status: str) -> None:
    sagemaker = script("sagemaker")
    arn = package(status)
    reject(register(arn), rejection("No."))
    assert sagemaker.requests["UpdateModelPackage"] == []


def test_an_execution_without_a_package_is_raised(reject: Any) -> None:
    with pytest.raises(StepFailure, match="Register has no output ModelPackageArn"):
        reject(rejection("No."))


def test_a_package_of_another_group_is_not_rejected(reject: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not of the group"):
        reject(register(package(group="another")), rejection("No."))


@pytest.mark.parametrize("detail", [{"pipeline": "another"}, {"state": "SUCCEEDED"}])
def test_an_event_that_is_no_rejection_of_ours_is_refused(reject: Any, detail: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Check the rule's event pattern"):
        reject(register(package()), **detail)


@pytest.mark.parametrize("event", [{}, {"detail": "text"}, {"detail": {"pipeline": "iris-1a2b3c"}}])
def test_an_event_of_another_kind_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither a CodePipeline job"):
        handler(event, None)


def test_a_registry_that_refuses_is_raised_so_that_lambda_delivers_again(
    reject: Any, script: Callable[[str], Any]
) -> None:
    arn = package()
    script("sagemaker").refuse("UpdateModelPackage", "ThrottlingException")
    with pytest.raises(ClientError):
        reject(register(arn), rejection("No."))
