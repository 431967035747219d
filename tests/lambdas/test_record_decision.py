"""What became of a candidate reaches the model registry: who approved it, or why it went no further."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from record_decision.handler import handler

from handler_kit import clients
from handler_kit.ab_record import Deployed, Record
from handler_kit.ab_record import Test as Trial
from handler_kit.ab_store import Store
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "iris-1a2b3c"
STACK = "iris-1a2b3c-production"
STACK_ID = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{STACK}/0a1b2c3d"
DEPLOY_ROLE = "arn:aws:iam::123456789012:role/iris-1a2b3c-deploy-production"
TEMPLATE = {
    "Parameters": {"ModelPackageArn": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
}
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NOON = datetime(2026, 1, 14, 12, tzinfo=timezone.utc)


LEAD = "arn:aws:sts::123456789012:assumed-role/ml-leads/ada"


@pytest.fixture(autouse=True)
def _registry(set_env: Callable[..., None]) -> None:
    set_env(
        {
            "model_package_group": GROUP,
            "pipeline": "iris-1a2b3c",
            "approval_timeout_minutes": "60",
            "production_stack": STACK,
            "deploy_role_arn": DEPLOY_ROLE,
            "ab_record_bucket": "",
        }
    )
    for group in (GROUP, "another"):
        clients.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)


def package(status: str = "PendingManualApproval", group: str = GROUP, execution: str = EXECUTION) -> str:
    answer = clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        CustomerMetadataProperties={"execution_id": execution},
    )
    return answer["ModelPackageArn"]


def produce(arn: str) -> None:
    clients.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "ModelPackageArn", "ParameterValue": arn}],
    )


def registered(arn: str) -> dict[str, Any]:
    return clients.client("sagemaker").describe_model_package(ModelPackageName=arn)


def action(
    stage: str, name: str, status: str, hours: int = 0, minutes: int = 5, by: str | None = None, **output: Any
) -> dict[str, Any]:
    started = NOON + timedelta(hours=hours)
    times = {"startTime": started, "lastUpdateTime": started + timedelta(minutes=minutes)}
    who = {} if by is None else {"updatedBy": by}
    return {"stageName": stage, "actionName": name, "status": status, **times, **who, "output": output}


def register(arn: str, hours: int = 0) -> dict[str, Any]:
    return action("Evaluate", "Register", "Succeeded", hours, outputVariables={"ModelPackageArn": arn})


def approval(status: str, summary: str | None = None, minutes: int = 5, by: str | None = None) -> dict[str, Any]:
    result = {} if summary is None else {"externalExecutionSummary": summary}
    return action("Approve", "Approve", status, 2, minutes, by, executionResult=result)


def failure(stage: str, name: str, message: str, hours: int = 3) -> dict[str, Any]:
    details = {"errorDetails": {"code": "JobFailed", "message": message}}
    return action(stage, name, "Failed", hours, executionResult=details)


@pytest.fixture
def approve(load_event: Callable[..., dict[str, Any]], reports: Any) -> Callable[..., None]:
    def approve(arn: str, *actions: dict[str, Any]) -> None:
        reports.answer("ListActionExecutions", actionExecutionDetails=list(actions))
        handler(load_event("record_approval", params={"model_package_arn": arn}), None)

    return approve


@pytest.fixture
def end(load_event: Callable[..., dict[str, Any]], reports: Any) -> Callable[..., None]:
    def end(*actions: dict[str, Any], status: str = "Failed", **detail: str) -> None:
        reports.answer("GetPipelineExecution", pipelineExecution={"status": status})
        reports.answer("ListActionExecutions", actionExecutionDetails=list(actions))
        event = load_event("record_end")
        event["detail"] |= detail
        handler(event, None)

    return end


@pytest.mark.parametrize(("state", "status"), [("running", "Approved"), ("aborted", "Rejected")])
def test_a_challenger_is_in_production_while_its_test_runs(
    end: Any, monkeypatch: pytest.MonkeyPatch, state: str, status: str
) -> None:
    monkeypatch.setenv("AB_RECORD_BUCKET", "artifacts")
    clients.client("s3").create_bucket(Bucket="artifacts")
    arn = package()
    model = Deployed(
        slot="primary",
        model_package_arn="another",
        image="i",
        model_data_url="m",
        execution_id="x",
        since=1.0,
        why="w",
    )
    test = Trial(
        id="t", champion="another", challenger=arn, salt="s", plan={}, plan_sha256="", started=1.0, state=state
    )
    record = Record(
        champion=model, challenger=replace(model, slot="secondary", model_package_arn=arn), share=0.1, test=test
    )
    store = Store(clients.client("s3"), "artifacts", "iris-1a2b3c")
    store.write(record, None, now=1.0, by="a test", why="a test")
    end(register(arn), failure("DeployProduction", "RecordRelease", "S3 was slow"))
    assert registered(arn)["ModelApprovalStatus"] == status


def test_an_approval_marks_the_package(approve: Any, reports: Any) -> None:
    arn = package()
    approve(arn, approval("Succeeded"))
    reports.only("success")
    assert registered(arn)["ModelApprovalStatus"] == "Approved"


def test_a_package_that_a_failed_try_of_the_stage_rejected_is_approved_by_its_retry(
    approve: Any, end: Any, reports: Any
) -> None:
    arn = package()
    end(register(arn), failure("DeployProduction", "PrepareChangeSet", "a quota"))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"
    approve(arn, approval("Succeeded"))
    reports.only("success")
    assert registered(arn)["ModelApprovalStatus"] == "Approved"


def test_a_package_that_somebody_rejected_in_the_registry_meanwhile_is_not_approved(approve: Any, reports: Any) -> None:
    arn = package()
    clients.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="it is biased"
    )
    approve(arn, approval("Succeeded"))
    assert reports.message.startswith(
        f"Somebody has rejected model package {arn} in the model registry, with the description: it is biased."
    )
    assert f"aws sagemaker update-model-package --model-package-arn {arn}" in reports.message
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"


def test_an_approval_records_who_when_and_what_they_said(approve: Any, reports: Any, script: Any) -> None:
    sagemaker = script("sagemaker")
    arn = package()
    approve(arn, approval("Succeeded", "Looks good (ship it!)", by=LEAD))
    assert sagemaker.requests["UpdateModelPackage"][0]["CustomerMetadataProperties"] == {
        "approved_by": LEAD,
        "approved_at": "2026-01-14T14:05:00+00:00",
        "approval_summary": "Looks good ship it",
    }
    assert registered(arn)["ApprovalDescription"] == (
        f"Approved in pipeline execution {EXECUTION} by {LEAD}: Looks good (ship it!)"
    )


def evidence(reason: str) -> dict[str, Any]:
    return action("Approve", "Evidence", "Succeeded", 1, outputVariables={"ReasonFor": reason})


EXPENSIVE = "up to 420 USD a month, more than max_monthly_usd (300 USD)"


@pytest.mark.parametrize("summary", [None, "", "  "])
def test_an_expensive_release_is_not_approved_without_a_reason(approve: Any, reports: Any, summary: str | None) -> None:
    arn = package()
    approve(arn, evidence(EXPENSIVE), approval("Succeeded", summary))
    assert reports.message == (
        f"The release needs a reason ({EXPENSIVE}), and the approval has no comment. Nothing was deployed to"
        " production. Start the pipeline again with the same data set, and give a reason when you approve."
    )
    assert registered(arn)["ModelApprovalStatus"] == "PendingManualApproval"


@pytest.mark.parametrize(("reason", "summary"), [(EXPENSIVE, "Christmas"), ("none", None)])
def test_with_a_reason_or_without_need_of_one_it_is(
    approve: Any, reports: Any, reason: str, summary: str | None
) -> None:
    arn = package()
    approve(arn, evidence(reason), approval("Succeeded", summary))
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
    assert f"Model package {arn} is not in the group {GROUP}" in reports.message
    assert registered(arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_rejection_marks_the_package_with_who_and_why(end: Any) -> None:
    arn = package()
    end(register(arn), approval("Failed", "Drifts on petals.", by=LEAD))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"
    assert registered(arn)["ApprovalDescription"] == (
        f"Pipeline execution {EXECUTION}: not approved by {LEAD}: Drifts on petals."
    )


def test_38_an_approval_that_nobody_answered_has_expired(end: Any) -> None:
    arn = package()
    end(register(arn), approval("Failed", minutes=60))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"
    assert registered(arn)["ApprovalDescription"].endswith(
        "the approval expired: nobody approved or rejected within 60 minutes."
    )


def test_a_rejection_without_a_word_has_not_expired(end: Any) -> None:
    arn = package()
    end(register(arn), approval("Failed", minutes=5))
    assert registered(arn)["ApprovalDescription"].endswith("not approved: no reason was given.")


@pytest.mark.parametrize(
    ("stage", "name"),
    [("DeployDev", "SmokeTest"), ("DeployDev", "Deploy"), ("DeployProduction", "ExecuteChangeSet")],
)
def test_a_failure_after_registration_rejects_the_package(end: Any, stage: str, name: str) -> None:
    arn = package("Approved" if stage == "DeployProduction" else "PendingManualApproval")
    end(register(arn), failure(stage, name, "0 of 10 golden records right"))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"
    assert registered(arn)["ApprovalDescription"] == (
        f"Pipeline execution {EXECUTION}: {stage}/{name} failed: 0 of 10 golden records right"
    )


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_package_that_production_runs_is_approved_although_a_later_step_failed(end: Any, status: str) -> None:
    arn = package(status)
    produce(arn)
    end(register(arn), failure("DeployProduction", "RecordRelease", "PutObject was refused"))
    assert registered(arn)["ModelApprovalStatus"] == "Approved"
    assert registered(arn)["ApprovalDescription"] == (
        f"Pipeline execution {EXECUTION}: in production, but not recorded as a release:"
        " DeployProduction/RecordRelease failed: PutObject was refused"
    )


def test_a_package_is_rejected_while_production_runs_another(end: Any) -> None:
    produce(package("Approved"))
    arn = package("Approved")
    end(register(arn), failure("DeployProduction", "ExecuteChangeSet", "rolled back"))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"


def test_an_execution_that_a_person_stopped_rejects_its_package(end: Any) -> None:
    arn = package()
    end(register(arn), status="Stopped", state="STOPPED")
    assert registered(arn)["ApprovalDescription"].endswith("a person stopped it.")


def test_a_registration_that_failed_after_making_the_package_rejects_it(end: Any) -> None:
    arn = package()
    details = {"externalExecutionId": arn, "errorDetails": {"message": "PutObject was refused"}}
    end(action("Evaluate", "Register", "Failed", executionResult=details))
    assert registered(arn)["ApprovalDescription"].endswith("Evaluate/Register failed: PutObject was refused")


def test_a_stage_that_was_retried_meanwhile_keeps_the_package(end: Any, script: Callable[[str], Any]) -> None:
    sagemaker = script("sagemaker")
    end(register(package()), failure("DeployDev", "SmokeTest", "slow"), status="InProgress")
    assert sagemaker.requests["UpdateModelPackage"] == []


def test_a_rollback_that_failed_leaves_the_release_as_it_was(end: Any) -> None:
    arn = package("Approved", execution="an-earlier-execution")
    end(register(arn), approval("Failed", "Not now."))
    assert registered(arn)["ModelApprovalStatus"] == "Approved"


def test_an_end_asks_for_its_own_execution_and_reports_no_job(end: Any, reports: Any) -> None:
    end(register(package()), approval("Failed", "No."))
    assert reports.requests["ListActionExecutions"] == [
        {"pipelineName": "iris-1a2b3c", "filter": {"pipelineExecutionId": EXECUTION}}
    ]
    assert reports.all == []


def test_the_register_action_is_found_on_a_later_page(end: Any, reports: Any) -> None:
    arn = package()
    reports.answer("ListActionExecutions", actionExecutionDetails=[approval("Failed", "No.")], nextToken="more")
    end(register(arn))
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"


def test_of_two_registrations_the_newest_counts(end: Any) -> None:
    old, new = package(), package()
    end(register(old, hours=0), register(new, hours=1), approval("Failed", "No."))
    assert registered(new)["ModelApprovalStatus"] == "Rejected"
    assert registered(old)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_package_that_the_gate_rejected_keeps_its_reason(end: Any, script: Callable[[str], Any]) -> None:
    sagemaker = script("sagemaker")
    end(register(package("Rejected")), failure("Evaluate", "Gate", "too bad"))
    assert sagemaker.requests["UpdateModelPackage"] == []


def test_an_execution_without_a_package_has_nothing_to_record(end: Any, script: Callable[[str], Any]) -> None:
    sagemaker = script("sagemaker")
    end(failure("Train", "Train", "no forest today"))
    assert sagemaker.operations() == []


def test_a_package_of_another_group_is_not_rejected(end: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not in the group"):
        end(register(package(group="another")), approval("Failed", "No."))


@pytest.mark.parametrize("detail", [{"pipeline": "another"}, {"state": "SUCCEEDED"}])
def test_an_event_that_is_no_early_end_of_ours_is_refused(end: Any, detail: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Check the rule's event pattern"):
        end(register(package()), **detail)


@pytest.mark.parametrize("event", [{}, {"detail": "text"}, {"detail": {"pipeline": "iris-1a2b3c"}}])
def test_an_event_of_another_kind_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither a CodePipeline job"):
        handler(event, None)


def test_a_registry_that_refuses_is_raised_so_that_lambda_delivers_again(
    end: Any, script: Callable[[str], Any]
) -> None:
    arn = package()
    script("sagemaker").refuse("UpdateModelPackage", "AccessDeniedException")
    with pytest.raises(ClientError):
        end(register(arn), approval("Failed", "No."))


def in_state(script: Callable[[str], Any], status: str) -> Any:
    """CloudFormation with the production stack in a state."""
    stack = {"StackName": STACK, "StackId": STACK_ID, "StackStatus": status}
    return script("cloudformation").answer("DescribeStacks", Stacks=[stack]).answer("DeleteStack")


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_26_a_production_stack_that_never_served_is_deleted_before_the_change_set(
    approve: Any, reports: Any, script: Callable[[str], Any], status: str
) -> None:
    cloudformation = in_state(script, status)
    approve(package(), approval("Succeeded"))
    assert cloudformation.requests["DeleteStack"] == [{"StackName": STACK_ID, "RoleARN": DEPLOY_ROLE}]
    assert json.loads(reports.token)["awaits"] == STACK


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"],
)
def test_a_production_stack_that_can_be_updated_is_left_alone(
    approve: Any, reports: Any, script: Callable[[str], Any], status: str
) -> None:
    cloudformation = in_state(script, status)
    approve(package(), approval("Succeeded"))
    assert cloudformation.requests["DeleteStack"] == []
    assert "continuationToken" not in reports.only("success")


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"])
def test_26_a_production_stack_that_served_is_never_deleted(
    approve: Any, reports: Any, script: Callable[[str], Any], status: str
) -> None:
    cloudformation = in_state(script, status)
    approve(package(), approval("Succeeded"))
    assert cloudformation.requests["DeleteStack"] == []
    assert f"Stack {STACK} has the status {status}" in reports.message


def test_a_deletion_is_waited_for(approve: Any, reports: Any, script: Callable[[str], Any]) -> None:
    cloudformation = in_state(script, "DELETE_IN_PROGRESS")
    approve(package(), approval("Succeeded"))
    assert cloudformation.requests["DeleteStack"] == []
    assert json.loads(reports.token)["awaits"] == STACK
