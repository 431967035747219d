"""An execution that is stopped or fails stops its own jobs, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from stop_training.handler import handler

if TYPE_CHECKING:
    from collections.abc import Callable

EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NAME = "iris-1a2b3c-3f2b9c1e7d54"
NOT_FOUND = ("ValidationException", "Requested resource not found.")
NO_EVALUATION = ("ValidationException", f"Could not find requested job with name: {NAME}")


@pytest.fixture(autouse=True)
def _settings(set_env: Callable[..., None]) -> None:
    set_env({"pipeline": "iris-1a2b3c", "job_kind": "training", "job_prefix": "iris-1a2b3c", "evaluation_prefix": ""})


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


@pytest.fixture
def codepipeline(script: Callable[[str], Any]) -> Any:
    return script("codepipeline")


def event(pipeline: str = "iris-1a2b3c", state: str = "STOPPED") -> dict[str, Any]:
    return {"source": "aws.codepipeline", "detail": {"pipeline": pipeline, "execution-id": EXECUTION, "state": state}}


def execution(codepipeline: Any, status: str) -> None:
    codepipeline.answer("GetPipelineExecution", pipelineExecution={"status": status})


def job(name: str, status: str) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
    return {"TrainingJobName": name, "TrainingJobArn": arn, "TrainingJobStatus": status}


@pytest.mark.parametrize("status", ["Stopped", "Failed", "Superseded", "Cancelled"])
def test_the_running_job_of_the_execution_is_stopped(sagemaker: Any, codepipeline: Any, status: str) -> None:
    execution(codepipeline, status)
    sagemaker.answer("DescribeTrainingJob", **job(NAME, "InProgress")).refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    sagemaker.answer("StopTrainingJob")
    handler(event(), None)
    assert sagemaker.requests["StopTrainingJob"] == [{"TrainingJobName": NAME}]


def test_of_several_attempts_the_running_one_is_stopped(sagemaker: Any, codepipeline: Any) -> None:
    execution(codepipeline, "Stopped")
    sagemaker.answer("DescribeTrainingJob", **job(NAME, "Failed"))
    sagemaker.answer("DescribeTrainingJob", **job(f"{NAME}-r2", "InProgress")).refuse_rest(
        "DescribeTrainingJob", *NOT_FOUND
    )
    sagemaker.answer("StopTrainingJob")
    handler(event(), None)
    assert sagemaker.requests["StopTrainingJob"] == [{"TrainingJobName": f"{NAME}-r2"}]


def test_14_a_job_that_somebody_deleted_hides_no_later_one(sagemaker: Any, codepipeline: Any) -> None:
    execution(codepipeline, "Stopped")
    sagemaker.refuse("DescribeTrainingJob", *NOT_FOUND).answer("DescribeTrainingJob", **job(f"{NAME}-r2", "InProgress"))
    sagemaker.refuse_rest("DescribeTrainingJob", *NOT_FOUND).answer("StopTrainingJob")
    handler(event(), None)
    assert sagemaker.requests["StopTrainingJob"] == [{"TrainingJobName": f"{NAME}-r2"}]


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped", "Stopping"])
def test_a_job_that_is_over_is_left_alone(sagemaker: Any, codepipeline: Any, status: str) -> None:
    execution(codepipeline, "Failed")
    sagemaker.answer("DescribeTrainingJob", **job(NAME, status)).refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    handler(event(state="FAILED"), None)
    assert sagemaker.requests["StopTrainingJob"] == []


def test_an_execution_that_never_trained_is_no_mistake(sagemaker: Any, codepipeline: Any) -> None:
    execution(codepipeline, "Failed")
    sagemaker.refuse_rest("DescribeTrainingJob", "ResourceNotFound")
    handler(event(state="FAILED"), None)
    assert set(sagemaker.operations()) == {"DescribeTrainingJob"}


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Succeeded"])
def test_an_execution_that_was_retried_meanwhile_keeps_its_job(sagemaker: Any, codepipeline: Any, status: str) -> None:
    execution(codepipeline, status)
    handler(event(state="FAILED"), None)
    assert sagemaker.operations() == []


def test_a_job_that_ends_at_the_same_moment_is_no_mistake(sagemaker: Any, codepipeline: Any) -> None:
    execution(codepipeline, "Stopped")
    sagemaker.answer("DescribeTrainingJob", **job(NAME, "InProgress"))
    sagemaker.refuse("StopTrainingJob", "ValidationException", "The job is in status Completed.")
    sagemaker.answer("DescribeTrainingJob", **job(NAME, "Completed")).refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    handler(event(), None)
    assert len(sagemaker.requests["StopTrainingJob"]) == 1


@pytest.mark.parametrize("code", ["ValidationException", "ThrottlingException", "AccessDeniedException"])
def test_a_refused_stop_is_raised_so_that_lambda_tries_again(sagemaker: Any, codepipeline: Any, code: str) -> None:
    execution(codepipeline, "Stopped")
    for _ in range(2):
        sagemaker.answer("DescribeTrainingJob", **job(NAME, "InProgress"))
    for _ in range(6):
        sagemaker.refuse("StopTrainingJob", code)
    with pytest.raises(ClientError, match=code):
        handler(event(), None)


def test_a_search_is_stopped_with_all_its_jobs(sagemaker: Any, codepipeline: Any, set_env: Any) -> None:
    set_env({"job_kind": "tuning"})
    execution(codepipeline, "Stopped")
    found = {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobArn": "arn:tuning",
        "HyperParameterTuningJobStatus": "InProgress",
    }
    sagemaker.answer("DescribeHyperParameterTuningJob", **found)
    sagemaker.refuse_rest("DescribeHyperParameterTuningJob", "ResourceNotFound").answer("StopHyperParameterTuningJob")
    handler(event(), None)
    assert sagemaker.requests["StopHyperParameterTuningJob"] == [{"HyperParameterTuningJobName": NAME}]


def evaluation(name: str, status: str) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{name}"
    return {"ProcessingJobName": name, "ProcessingJobArn": arn, "ProcessingJobStatus": status}


@pytest.fixture
def evaluates(set_env: Callable[..., None], sagemaker: Any, codepipeline: Any) -> None:
    """A stopped execution, of a pipeline with an evaluation program, whose training is over."""
    set_env({"evaluation_prefix": "iris-1a2b3c"})
    execution(codepipeline, "Stopped")
    sagemaker.answer("DescribeTrainingJob", **job(NAME, "Completed")).refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    sagemaker.answer("StopProcessingJob")


@pytest.mark.parametrize("name", [NAME, f"{NAME}-r2"])
def test_the_running_evaluation_of_the_execution_is_stopped(evaluates: None, sagemaker: Any, name: str) -> None:
    if name != NAME:
        sagemaker.answer("DescribeProcessingJob", **evaluation(NAME, "Failed"))
    sagemaker.answer("DescribeProcessingJob", **evaluation(name, "InProgress"))
    sagemaker.refuse_rest("DescribeProcessingJob", *NO_EVALUATION)
    handler(event(), None)
    assert sagemaker.requests["StopProcessingJob"] == [{"ProcessingJobName": name}]
    assert sagemaker.requests["StopTrainingJob"] == []


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped", "Stopping"])
def test_an_evaluation_that_is_over_is_left_alone(evaluates: None, sagemaker: Any, status: str) -> None:
    sagemaker.answer("DescribeProcessingJob", **evaluation(NAME, status))
    sagemaker.refuse_rest("DescribeProcessingJob", *NO_EVALUATION)
    handler(event(), None)
    assert sagemaker.requests["StopProcessingJob"] == []


def test_an_execution_that_never_evaluated_is_no_mistake(evaluates: None, sagemaker: Any) -> None:
    sagemaker.refuse_rest("DescribeProcessingJob", *NO_EVALUATION)
    handler(event(), None)
    assert sagemaker.requests["StopProcessingJob"] == []


def test_an_evaluation_that_cannot_be_looked_up_is_raised_so_that_lambda_tries_again(
    evaluates: None, sagemaker: Any
) -> None:
    sagemaker.refuse_rest("DescribeProcessingJob", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        handler(event(), None)


def test_without_an_evaluation_program_no_evaluation_is_looked_for(sagemaker: Any, codepipeline: Any) -> None:
    execution(codepipeline, "Stopped")
    sagemaker.refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    handler(event(), None)
    assert sagemaker.requests["DescribeProcessingJob"] == []


@pytest.mark.parametrize("wrong", [{}, {"detail": {}}, event(pipeline="other")])
def test_an_event_of_something_else_is_refused(sagemaker: Any, codepipeline: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="event"):
        handler(wrong, None)
    assert sagemaker.operations() == []
