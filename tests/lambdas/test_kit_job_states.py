"""Every status that a SageMaker job can have means one thing, to every function."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import answer_training.handler
import botocore.session
import pytest
import stop_training.handler
from lambdas.test_train_model import NAME, job
from register_model.register import Services, register
from register_model.settings import Params, Settings
from train_model.results import result

from handler_kit.errors import StepError
from handler_kit.job_states import MEANINGS, WITHOUT_INSTANCES, Meaning, meaning_of
from handler_kit.processing_jobs import ProcessingJobs
from handler_kit.training_jobs import TrainingJobs, TuningJobs

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = botocore.session.get_session().get_service_model("sagemaker")
TRAINING: list[str] = MODEL.shape_for("TrainingJobStatus").enum
TUNING: list[str] = MODEL.shape_for("HyperParameterTuningJobStatus").enum
PROCESSING: list[str] = MODEL.shape_for("ProcessingJobStatus").enum
CREATED = datetime(2026, 1, 14, tzinfo=timezone.utc)
EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
NOT_FOUND = ("ValidationException", "Requested resource not found.")
SEARCHED = {"TuningJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/{NAME}"}


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


def search(status: str, seconds: int = 60, **more: Any) -> dict[str, Any]:
    """A described search with a limit of an hour."""
    return {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobArn": SEARCHED["TuningJobArn"],
        "HyperParameterTuningJobStatus": status,
        "HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxRuntimeInSeconds": 3600}},
        "CreationTime": CREATED,
        "HyperParameterTuningEndTime": CREATED + timedelta(seconds=seconds),
        "BestTrainingJob": {"TrainingJobName": NAME, "TunedHyperParameters": {}},
        "TrainingJobStatusCounters": {},
        **more,
    }


def processing(status: str) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{NAME}"
    return {"ProcessingJobName": NAME, "ProcessingJobArn": arn, "ProcessingJobStatus": status}


def test_the_table_holds_every_status_of_sagemaker_and_no_other() -> None:
    assert set(MEANINGS) == {*TRAINING, *TUNING, *PROCESSING}
    assert WITHOUT_INSTANCES - {""} <= set(MODEL.shape_for("SecondaryStatus").enum)


def test_a_status_that_nobody_knows_gives_nothing() -> None:
    assert meaning_of("SomethingNew") is Meaning.LOST


@pytest.mark.parametrize("status", TRAINING)
def test_a_training_job_has_a_result_when_it_completed(sagemaker: Any, status: str) -> None:
    sagemaker.answer("DescribeTrainingJob", **job(status))
    found = TrainingJobs(sagemaker.client, "iris").read(NAME)
    assert found.is_running is (status in {"InProgress", "Stopping"})
    assert found.can_be_stopped is (status == "InProgress")
    assert found.has_result is (status == "Completed")


@pytest.mark.parametrize("status", TRAINING)
def test_a_training_job_that_its_search_ended_early_has_a_result_too(sagemaker: Any, status: str) -> None:
    sagemaker.answer("DescribeTrainingJob", **job(status, **SEARCHED))
    assert TrainingJobs(sagemaker.client, "iris").read(NAME).has_result is (status in {"Completed", "Stopped"})


@pytest.mark.parametrize("status", TRAINING)
def test_without_a_model_there_is_no_result(sagemaker: Any, status: str) -> None:
    sagemaker.answer("DescribeTrainingJob", **job(status, **SEARCHED, ModelArtifacts={}))
    assert TrainingJobs(sagemaker.client, "iris").read(NAME).has_result is False


@pytest.mark.parametrize("status", TUNING)
@pytest.mark.parametrize("seconds", [60, 3600], ids=["in time", "time used up"])
def test_a_search_has_a_result_when_it_completed_or_used_up_its_time(sagemaker: Any, status: str, seconds: int) -> None:
    sagemaker.answer("DescribeHyperParameterTuningJob", **search(status, seconds))
    found = TuningJobs(sagemaker.client, "iris").read(NAME)
    assert found.is_running is (status in {"InProgress", "Stopping"})
    assert found.has_result is (status == "Completed" or (status == "Stopped" and seconds == 3600))


@pytest.mark.parametrize("status", TUNING)
def test_a_search_without_a_best_job_has_no_result(sagemaker: Any, status: str) -> None:
    sagemaker.answer("DescribeHyperParameterTuningJob", **search(status, 3600, BestTrainingJob=None))
    assert TuningJobs(sagemaker.client, "iris").read(NAME).has_result is False


@pytest.mark.parametrize("status", PROCESSING)
def test_a_processing_job_has_a_result_when_it_completed(sagemaker: Any, status: str) -> None:
    sagemaker.answer("DescribeProcessingJob", **processing(status))
    found = ProcessingJobs(sagemaker.client, "iris").read(NAME)
    assert found.is_running is (status in {"InProgress", "Stopping"})
    assert found.has_result is (status == "Completed")


@pytest.mark.parametrize("status", TRAINING)
def test_train_hands_on_exactly_the_best_jobs_that_register_accepts(
    sagemaker: Any, script: Callable[[str], Any], status: str
) -> None:
    best = job(status, **SEARCHED)
    sagemaker.answer("DescribeHyperParameterTuningJob", **search("Completed")).answer("DescribeTrainingJob", **best)
    jobs = TuningJobs(sagemaker.client, "iris")
    trained = succeeds(lambda: result(jobs.read(NAME), jobs))
    sagemaker.answer("DescribeTrainingJob", **best)
    sagemaker.answer("ListModelPackages", ModelPackageSummaryList=[])
    sagemaker.answer("CreateModelPackage", ModelPackageArn="arn:package")
    params = Params(EXECUTION, NAME, "s3://artifacts/datasets/x", "0f" * 32, "v1", "none", "none", "none")
    services = Services(sagemaker.client, script("ecr").answer("DescribeImages", imageDetails=[]).client, None)
    registered = succeeds(lambda: register(params, Settings("iris", {}, "artifacts", None, {}), services))
    assert trained is registered is (status in {"Completed", "Stopped"})


@pytest.mark.parametrize("status", TRAINING)
def test_a_running_job_is_stopped_and_no_other(
    sagemaker: Any, script: Callable[[str], Any], set_env: Callable[..., None], status: str
) -> None:
    ours = "iris-1a2b3c"
    set_env({"pipeline": ours, "job_kind": "training", "job_prefix": ours, "evaluation_prefix": ours})
    script("codepipeline").answer("GetPipelineExecution", pipelineExecution={"status": "Failed"})
    sagemaker.answer("DescribeTrainingJob", **job(status)).refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    sagemaker.refuse_rest("DescribeProcessingJob", *NOT_FOUND)
    sagemaker.answer("StopTrainingJob")
    detail = {"pipeline": "iris-1a2b3c", "execution-id": EXECUTION, "state": "FAILED"}
    stop_training.handler.handler({"detail": detail}, None)
    assert len(sagemaker.requests["StopTrainingJob"]) == (status == "InProgress")


@pytest.mark.parametrize("status", TRAINING)
def test_the_wait_ends_when_the_job_runs_no_longer(
    sagemaker: Any, script: Callable[[str], Any], set_env: Callable[..., None], status: str
) -> None:
    set_env({"pipeline": "iris-1a2b3c", "stage": "Train", "action": "Wait"})
    set_env({"job_kind": "training", "job_prefix": "iris-1a2b3c"})
    codepipeline = script("codepipeline")
    wait = {"actionName": "Wait", "latestExecution": {"status": "InProgress", "token": EXECUTION}}
    stage = {
        "stageName": "Train",
        "actionStates": [wait],
        "latestExecution": {"pipelineExecutionId": EXECUTION, "status": "InProgress"},
    }
    codepipeline.answer("GetPipelineState", stageStates=[stage]).answer("PutApprovalResult")
    sagemaker.answer("DescribeTrainingJob", **job(status)).refuse_rest("DescribeTrainingJob", *NOT_FOUND)
    answer_training.handler.handler({}, None)
    assert len(codepipeline.requests["PutApprovalResult"]) == (status not in {"InProgress", "Stopping"})


def succeeds(step: Callable[[], object]) -> bool:
    try:
        step()
    except StepError:
        return False
    return True
