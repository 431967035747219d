"""A new image is trained on the newest data set that reached training, once, and never on nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from start_retraining.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINE = "iris-1a2b3c"
PARAMETER = "/iris-1a2b3c/image"
OLD, NEW = (f"123456789012.dkr.ecr.us-east-1.amazonaws.com/iris@sha256:{digit * 64}" for digit in "ab")
ONE, TWO, THREE = (f"3f2b9c1e-7d54-4a8e-9c61-00000000000{number}" for number in (1, 2, 3))
NOON = datetime(2026, 1, 14, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _image(set_env: Callable[..., None]) -> None:
    set_env({"pipeline": PIPELINE, "image_parameter": PARAMETER, "source_parameter": ""})
    write(NEW)


@pytest.fixture
def codepipeline(script: Callable[[str], Any]) -> Any:
    """CodePipeline, whose executions are no rollbacks."""
    codepipeline = script("codepipeline")
    answer_releases(codepipeline, "none", "none")
    return codepipeline


def answer_releases(codepipeline: Any, *releases: str) -> None:
    """Answer for one execution after the other which release it deploys again."""
    for release in releases:
        variables = [{"name": "Release", "resolvedValue": release}]
        codepipeline.answer("GetPipelineExecution", pipelineExecution={"variables": variables})


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    return lambda: handler(load_event("start_retraining"), None)


def write(image: str) -> None:
    clients.client("ssm").put_parameter(Name=PARAMETER, Value=image, Type="String", Overwrite=True)


def execution(name: str, status: str) -> dict[str, Any]:
    return {"pipelineExecutionId": name, "status": status}


def run(action: str, status: str, minutes: int = 0, **variables: str) -> dict[str, Any]:
    started = NOON + timedelta(minutes=minutes)
    return {"actionName": action, "status": status, "startTime": started, "output": {"outputVariables": variables}}


def dataset(version: str) -> dict[str, Any]:
    return run("Dataset", "Succeeded", ObjectKey="datasets/iris.json", VersionId=version)


def revisions(codepipeline: Any) -> dict[str, str]:
    (request,) = codepipeline.requests["StartPipelineExecution"]
    assert {revision["actionName"] for revision in request["sourceRevisions"]} == {"Dataset"}
    return {revision["revisionType"]: revision["revisionValue"] for revision in request["sourceRevisions"]}


def test_it_starts_on_the_version_that_was_trained_last(codepipeline: Any, call: Any) -> None:
    codepipeline.answer(
        "ListPipelineExecutions",
        pipelineExecutionSummaries=[execution(TWO, "Succeeded"), execution(ONE, "Succeeded")],
    )
    codepipeline.answer(
        "ListActionExecutions", actionExecutionDetails=[run("Train", "Succeeded", Image=OLD), dataset("2")]
    )
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
    answer = call()
    assert answer["started"] == THREE
    assert f"datasets/iris.json (version 2), the data set of execution {TWO}" in answer["reason"]
    assert revisions(codepipeline) == {"S3_OBJECT_KEY": "datasets/iris.json", "S3_OBJECT_VERSION_ID": "2"}


def test_a_second_delivery_of_the_event_starts_nothing_more(codepipeline: Any, call: Any) -> None:
    for _ in range(2):
        codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "Succeeded")])
        codepipeline.answer("ListActionExecutions", actionExecutionDetails=[run("Train", "Succeeded"), dataset("1")])
        codepipeline.answer("StartPipelineExecution", pipelineExecutionId=TWO)
        call()
    assert len(tokens(codepipeline)) == 1


def tokens(codepipeline: Any) -> set[str]:
    """What CodePipeline knows a repeated start by."""
    return {request["clientRequestToken"] for request in codepipeline.requests["StartPipelineExecution"]}


@pytest.mark.parametrize(
    ("older", "starts"),
    [
        # The second event is about the image with which execution TWO already trains.
        (run("Train", "Succeeded", Image=OLD), 1),
        # The image came, went and came back: execution TWO trains with another one.
        (run("Train", "Succeeded", Image=NEW), 1),
    ],
)
def test_an_image_that_is_written_twice_while_it_is_trained_is_trained_once(
    script: Callable[[str], Any], call: Any, older: dict[str, Any], starts: int
) -> None:
    codepipeline = script("codepipeline")
    answer_releases(codepipeline, *["none"] * 9)
    if older["output"]["outputVariables"]["Image"] == OLD:
        codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "Succeeded")])
        codepipeline.answer("ListActionExecutions", actionExecutionDetails=[older, dataset("1")])
        codepipeline.answer("StartPipelineExecution", pipelineExecutionId=TWO)
        assert call()["started"] == TWO
    both = [execution(TWO, "InProgress"), execution(ONE, "Succeeded")]
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=both)
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=[run("Train", "InProgress"), dataset("1")])
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=[older, dataset("1")])
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=TWO)
    call()
    assert len(tokens(codepipeline)) == starts


def test_the_same_image_is_tried_again_after_its_training_has_failed(script: Callable[[str], Any], call: Any) -> None:
    codepipeline = script("codepipeline")
    answer_releases(codepipeline, *["none"] * 9)
    for name, more in ((ONE, []), (TWO, [execution(ONE, "Failed")])):
        codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(name, "Failed"), *more])
        codepipeline.answer("ListActionExecutions", actionExecutionDetails=[run("Train", "Failed"), dataset("1")])
        codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
        call()
    assert len(tokens(codepipeline)) == 2


def test_bad_data_is_passed_over(codepipeline: Any, call: Any) -> None:
    codepipeline.answer(
        "ListPipelineExecutions",
        pipelineExecutionSummaries=[execution(TWO, "Failed"), execution(ONE, "Failed")],
    )
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=[run("CheckDataset", "Failed"), dataset("bad")])
    codepipeline.answer(
        "ListActionExecutions", actionExecutionDetails=[run("Train", "Succeeded", Image=OLD), dataset("1")]
    )
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
    call()
    assert revisions(codepipeline)["S3_OBJECT_VERSION_ID"] == "1"


def test_data_whose_training_failed_is_tried_again(codepipeline: Any, call: Any) -> None:
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "Failed")])
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=[run("Train", "Failed"), dataset("1")])
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
    assert call()["started"] == THREE


def test_a_training_of_days_with_the_old_image_has_reached_training(codepipeline: Any, call: Any) -> None:
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "InProgress")])
    codepipeline.answer(
        "ListActionExecutions", actionExecutionDetails=[run("StartTraining", "Succeeded"), dataset("1")]
    )
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
    assert call()["started"] == THREE


def test_the_last_run_of_a_retried_action_counts(codepipeline: Any, call: Any) -> None:
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "Succeeded")])
    runs = [run("Train", "Succeeded", 5, Image=NEW), run("Train", "Failed", 1), dataset("1")]
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=runs)
    assert call()["started"] is None


@pytest.mark.parametrize(
    ("status", "runs", "reason"),
    [
        (
            "Succeeded",
            [run("Train", "Succeeded", Image=NEW), dataset("1")],
            f"Execution {ONE} has already trained with this image.",
        ),
        ("InProgress", [dataset("1")], f"Execution {ONE} has not trained yet and will use this image."),
        ("InProgress", [], f"Execution {ONE} has not trained yet and will use this image."),
        (
            "Failed",
            [run("Dataset", "Failed")],
            "No data set has reached training yet; the next upload will use this image.",
        ),
    ],
    ids=["same image", "still checking", "still waiting", "first start without data"],
)
def test_nothing_is_started_when_nothing_new_would_come_of_it(
    codepipeline: Any, call: Any, status: str, runs: list[dict[str, Any]], reason: str
) -> None:
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, status)])
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=runs)
    assert call() == {"started": None, "reason": reason}
    assert not codepipeline.requests["StartPipelineExecution"]


def test_a_rollback_is_passed_over(script: Callable[[str], Any], call: Any) -> None:
    codepipeline = script("codepipeline")
    answer_releases(codepipeline, "7", "none")
    codepipeline.answer(
        "ListPipelineExecutions",
        pipelineExecutionSummaries=[execution(TWO, "InProgress"), execution(ONE, "Succeeded")],
    )
    codepipeline.answer(
        "ListActionExecutions", actionExecutionDetails=[run("Train", "Succeeded", Image=OLD), dataset("1")]
    )
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
    call()
    assert revisions(codepipeline)["S3_OBJECT_VERSION_ID"] == "1"
    assert [one["filter"] for one in codepipeline.requests["ListActionExecutions"]] == [{"pipelineExecutionId": ONE}]


def test_without_an_image_nothing_is_asked(codepipeline: Any, call: Any) -> None:
    write("none")
    assert call() == {"started": None, "reason": "There is no image yet."}
    assert codepipeline.operations() == []


def test_a_refused_start_is_raised_so_that_lambda_tries_again(codepipeline: Any, call: Any) -> None:
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "Succeeded")])
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=[run("Train", "Succeeded"), dataset("1")])
    codepipeline.refuse("StartPipelineExecution", "ConflictException")
    with pytest.raises(ClientError, match="ConflictException"):
        call()


@pytest.fixture
def _script(set_env: Callable[..., None]) -> None:
    set_env({"pipeline": PIPELINE, "image_parameter": PARAMETER, "source_parameter": "/iris-1a2b3c/source"})
    clients.client("ssm").put_parameter(Name="/iris-1a2b3c/source", Value="5e", Type="String", Overwrite=True)


@pytest.mark.usefixtures("_script")
@pytest.mark.parametrize(("trained", "started"), [("5e", None), ("4d", THREE)])
def test_a_script_is_trained_once(codepipeline: Any, call: Any, trained: str, started: str | None) -> None:
    codepipeline.answer("ListPipelineExecutions", pipelineExecutionSummaries=[execution(ONE, "Succeeded")])
    # The image is AWS's, whose tag the training has replaced by a digest.
    done = run("Train", "Succeeded", Image=OLD, SourceSha256=trained)
    codepipeline.answer("ListActionExecutions", actionExecutionDetails=[done, dataset("1")])
    codepipeline.answer("StartPipelineExecution", pipelineExecutionId=THREE)
    assert call()["started"] == started
