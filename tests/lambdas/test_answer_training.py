"""The wait for a long training ends when both are there: the question, and the end of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from answer_training.handler import handler
from botocore.exceptions import ClientError

from handler_kit.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Callable

EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NAME = "iris-1a2b3c-3f2b9c1e7d54"
TOKEN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(autouse=True)
def _settings(set_env: Callable[..., None]) -> None:
    set_env({"pipeline": "iris-1a2b3c", "stage": "Train", "action": "WaitForTraining"})
    set_env({"job_kind": "training", "job_prefix": "iris-1a2b3c"})


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


@pytest.fixture
def codepipeline(script: Callable[[str], Any]) -> Any:
    return script("codepipeline")


def waits(codepipeline: Any, **latest: str) -> None:
    actions = [
        {"actionName": "StartTraining", "latestExecution": {"status": "Succeeded"}},
        {"actionName": "WaitForTraining", **({"latestExecution": latest} if latest else {})},
    ]
    stages = [
        {"stageName": "Prepare"},
        {"stageName": "Train", "actionStates": actions, "latestExecution": {"pipelineExecutionId": EXECUTION}},
    ]
    codepipeline.answer("GetPipelineState", stageStates=stages)


def trained(sagemaker: Any, *statuses: str) -> None:
    for attempt, status in enumerate(statuses, start=1):
        name = NAME if attempt == 1 else f"{NAME}-r{attempt}"
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
        sagemaker.answer("DescribeTrainingJob", TrainingJobName=name, TrainingJobArn=arn, TrainingJobStatus=status)
    sagemaker.refuse_rest("DescribeTrainingJob", "ResourceNotFound")


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_is_over_ends_the_wait_however_it_ended(sagemaker: Any, codepipeline: Any, status: str) -> None:
    waits(codepipeline, status="InProgress", token=TOKEN)
    trained(sagemaker, status)
    codepipeline.answer("PutApprovalResult")
    handler({}, None)
    (request,) = codepipeline.requests["PutApprovalResult"]
    assert request["token"] == TOKEN
    assert request["result"] == {"status": "Approved", "summary": f"Training job {NAME} is over: {status}"}


@pytest.mark.parametrize("statuses", [["InProgress"], ["Stopping"], ["Failed", "InProgress"]])
def test_a_job_that_goes_on_is_waited_for(sagemaker: Any, codepipeline: Any, statuses: list[str]) -> None:
    waits(codepipeline, status="InProgress", token=TOKEN)
    trained(sagemaker, *statuses)
    handler({}, None)
    assert codepipeline.requests["PutApprovalResult"] == []


def test_a_release_that_is_deployed_again_has_no_job_to_wait_for(sagemaker: Any, codepipeline: Any) -> None:
    waits(codepipeline, status="InProgress", token=TOKEN)
    trained(sagemaker)
    codepipeline.answer("PutApprovalResult")
    handler({}, None)
    (request,) = codepipeline.requests["PutApprovalResult"]
    assert request["result"]["summary"] == "No job was started"


@pytest.mark.parametrize("latest", [{}, {"status": "Succeeded"}, {"status": "Failed", "token": TOKEN}])
def test_nothing_is_answered_where_nothing_waits(sagemaker: Any, codepipeline: Any, latest: dict[str, str]) -> None:
    waits(codepipeline, **latest)
    handler({}, None)
    assert sagemaker.operations() == []
    assert codepipeline.requests["PutApprovalResult"] == []


def began(execution: str = EXECUTION) -> dict[str, Any]:
    return {"detail": {"pipeline": "iris-1a2b3c", "execution-id": execution, "state": "STARTED"}}


@pytest.mark.parametrize("latest", [{}, {"status": "InProgress"}])
def test_a_wait_whose_token_is_not_there_yet_is_looked_at_again(codepipeline: Any, latest: dict[str, str]) -> None:
    waits(codepipeline, **latest)
    with pytest.raises(StepError, match="shows no token of this wait yet"):
        handler(began(), None)


def test_the_state_of_an_earlier_execution_is_not_taken_for_the_answer(codepipeline: Any) -> None:
    waits(codepipeline, status="Succeeded")
    with pytest.raises(StepError, match="shows no token of this wait yet"):
        handler(began("4f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"), None)


def test_a_wait_that_was_answered_meanwhile_is_no_mistake(codepipeline: Any) -> None:
    waits(codepipeline, status="Succeeded")
    handler(began(), None)
    assert codepipeline.requests["PutApprovalResult"] == []


@pytest.mark.parametrize("code", ["ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"])
def test_a_second_delivery_is_no_mistake(sagemaker: Any, codepipeline: Any, code: str) -> None:
    waits(codepipeline, status="InProgress", token=TOKEN)
    trained(sagemaker, "Completed")
    codepipeline.refuse("PutApprovalResult", code)
    handler({}, None)
    assert len(codepipeline.requests["PutApprovalResult"]) == 1


def test_a_refused_answer_is_raised_so_that_lambda_tries_again(sagemaker: Any, codepipeline: Any) -> None:
    waits(codepipeline, status="InProgress", token=TOKEN)
    trained(sagemaker, "Completed")
    codepipeline.refuse("PutApprovalResult", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        handler({}, None)
