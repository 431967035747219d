"""Connections, foreign images and predefined metrics of the local AWS, seen through the AWS API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from git_program import git
from local_aws.tiny_container import local_aws, write_container
from local_aws.tiny_pipeline import Bench, action, wait_for

from mlops_constructs.deployed.endpoints import predictions, same
from mlops_constructs.deployed.scores import described, score
from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.connections.working_copy import snapshot
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.ecr.images import pull
from mlops_constructs.local_aws.sagemaker.builtin_metrics import predefined
from mlops_constructs.rehearsal.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
EXISTING = "arn:aws:codeconnections:us-east-1:123456789012:connection/0a1b2c3d-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as aws:
        yield aws


@pytest.fixture(scope="module")
def bench(aws: LocalAws) -> Bench:
    return Bench(aws)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with the branches main and old."""
    folder = write_container(tmp_path / "repository")
    for arguments in (["init", "-q", "-b", "old"], ["add", "--all"], ["commit", "-q", "-m", "one"]):
        git(folder, *arguments)
    git(folder, "checkout", "-q", "-b", "main")
    (folder / "train").write_text("#!/bin/sh\n")
    git(folder, "commit", "-q", "-a", "-m", "two")
    return folder


def source(arn: str, repository: str = "team/algorithm", **more: str) -> dict[str, Any]:
    configuration = {"ConnectionArn": arn, "FullRepositoryId": repository, "BranchName": "main", **more}
    made = action("Code", "CodeStarSourceConnection", configuration, namespace="Code")
    made["actionTypeId"]["category"] = "Source"
    return {**made, "outputArtifacts": [{"name": "SourceCode"}]}


def test_a_connection_is_made_pending_and_can_be_deleted(aws: LocalAws) -> None:
    connections = aws.client("codestar-connections")
    tags = [{"Key": "team", "Value": "risk"}]
    arn = connections.create_connection(ProviderType="GitHub", ConnectionName="mine", Tags=tags)["ConnectionArn"]
    assert connections.get_connection(ConnectionArn=arn)["Connection"] == {
        "ConnectionName": "mine",
        "ConnectionArn": arn,
        "ProviderType": "GitHub",
        "OwnerAccountId": aws.account_id,
        "ConnectionStatus": "PENDING",
    }
    assert connections.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    connections.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}])
    connections.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert connections.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]
    assert [one["ConnectionArn"] for one in connections.list_connections()["Connections"]] == [arn]
    assert connections.list_connections(ProviderTypeFilter="GitLab")["Connections"] == []
    connections.delete_connection(ConnectionArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        connections.get_connection(ConnectionArn=arn)


def test_terraforms_way_to_name_the_operation_is_understood(aws: LocalAws) -> None:
    """Go's SDK leaves the package out of the service's name; boto3 does not."""
    connections = aws.client("codestar-connections")

    def shorten(request: Any, **_: Any) -> None:
        request.headers.replace_header("X-Amz-Target", request.headers["X-Amz-Target"].split("connections.", 1)[1])

    connections.meta.events.register("before-sign", shorten)
    try:
        assert connections.list_connections()["Connections"] == []
    finally:
        connections.meta.events.unregister("before-sign", shorten)


def test_a_connection_that_is_handed_in_reaches_its_repository(bench: Bench, repository: Path) -> None:
    StandIns(repositories={"team/algorithm": repository}).install(bench.aws)
    execution = bench.make_pipeline("handed-in", [source(EXISTING)], [action("Ask", "Manual", {})])
    wait_for(lambda: "Ask" in bench.actions("handed-in", execution))
    variables = bench.variables("handed-in", execution, "Code")
    assert variables["CommitId"] == git(repository, "rev-parse", "main")
    assert variables["CommitMessage"] == "two"
    assert variables["FullRepositoryName"] == "team/algorithm"
    bench.codepipeline.stop_pipeline_execution(pipelineName="handed-in", pipelineExecutionId=execution, abandon=True)


@pytest.mark.parametrize(
    ("name", "repository_name", "more", "reason"),
    [
        ("absent", "team/other", {}, "team/other is not on this machine: give --repository team/other=FOLDER"),
        ("branch", "team/algorithm", {"BranchName": "gone"}, "has no branch gone"),
        (
            "clone",
            "team/algorithm",
            {"OutputArtifactFormat": "CODEBUILD_CLONE_REF"},
            "does not support OutputArtifactFormat",
        ),
    ],
)
def test_a_source_that_cannot_be_read_fails_with_the_reason(
    bench: Bench, repository: Path, name: str, repository_name: str, more: dict[str, str], reason: str
) -> None:
    StandIns(repositories={"team/algorithm": repository}).install(bench.aws)
    stage = [source(EXISTING, repository_name, **more)]
    execution = bench.make_pipeline(name, stage, [action("Ask", "Manual", {})])
    assert bench.finished(name, execution) == "Failed"
    assert reason in bench.error(name, execution, "Code")["message"]


def test_a_push_starts_the_pipelines_that_watch_the_branch(bench: Bench, repository: Path) -> None:
    StandIns(repositories={"team/algorithm": repository}).install(bench.aws)
    triggers = [
        {
            "providerType": "CodeStarSourceConnection",
            "gitConfiguration": {"sourceActionName": "Code", "push": [{"branches": {"includes": ["old"]}}]},
        }
    ]
    bench.make_pipeline("watching", [source(EXISTING)], [action("Ask", "Manual", {})], triggers=triggers)
    connections: Any = bench.aws.connections
    connections.push("team/algorithm", "main")
    assert len(bench.executions("watching")) == 1
    commit = connections.push("team/algorithm", "old")
    assert len(bench.executions("watching")) == 2
    assert commit == git(repository, "rev-parse", "old")


def test_a_plain_folder_has_one_commit_of_what_is_in_it_now(tmp_path: Path) -> None:
    folder = write_container(tmp_path / "plain")
    first = snapshot("team/algorithm", folder, "main", None)
    assert snapshot("team/algorithm", folder, "any", None).commit_id == first.commit_id
    assert len(first.commit_id) == 40
    (folder / "train").write_text("changed")
    assert snapshot("team/algorithm", folder, "main", None).commit_id != first.commit_id


def test_a_foreign_image_is_what_stands_in_for_it(aws: LocalAws, tmp_path: Path) -> None:
    StandIns(images={XGBOOST: write_container(tmp_path / "xgboost")}).install(aws)
    asked = {"registryId": "683313688378", "repositoryName": "sagemaker-xgboost"}
    (image,) = aws.client("ecr").batch_get_image(**asked, imageIds=[{"imageTag": "1.7-1"}])["images"]
    by_digest = f"{XGBOOST.rpartition(':')[0]}@{image['imageId']['imageDigest']}"
    pulled = pull(aws.account, aws.containers.images, by_digest, None)
    assert (pulled.image.context / "train").is_file()
    answer = aws.client("ecr").batch_get_image(**asked, imageIds=[{"imageTag": "9"}])
    assert answer["failures"][0]["failureCode"] == "ImageNotFound"


def test_a_foreign_image_without_one_is_not_to_be_had(aws: LocalAws) -> None:
    uri = "111122223333.dkr.ecr.us-east-1.amazonaws.com/theirs:1"
    with pytest.raises(ContainerError, match="does not exist in the registry with id '111122223333'"):
        pull(aws.account, aws.containers.images, uri, None)
    assert StandIns().missing_images(aws, [uri, uri]) == [uri]
    with pytest.raises(RehearsalError, match=f"the image {uri} is not on this machine: give --image {uri}=FOLDER"):
        StandIns().replace(aws, uri)


def test_a_changed_parameter_is_told_to_eventbridge(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(aws.account, "emit", told.append)
    for value in ("1", "2"):
        aws.client("ssm").put_parameter(Name="/told", Value=value, Type="String", Overwrite=True)
    assert [event["detail"]["operation"] for event in told] == ["Create", "Update"]
    assert {event["detail"]["name"] for event in told} == {"/told"}
    assert told[0]["resources"] == [f"arn:aws:ssm:us-east-1:{aws.account_id}:parameter/told"]


def test_the_metrics_of_built_in_algorithms_are_found_in_their_logs() -> None:
    lines = [
        "[0]\ttrain-merror:0.5\tvalidation-merror:0.6",
        "[1]#011train-merror:0.1#011validation-merror:0.2",
        "[time] #quality_metric: host=algo-1, epoch=3, validation mse_objective <loss>=0.7",
        "#quality_metric: host=algo-1, validation binary_f_1.000 <score>=0.8",
        "#quality_metric: host=algo-1, test accuracy <score>=nothing",
        "validation:accuracy=0.9;",
    ]
    assert predefined(lines) == {
        "train:merror": 0.1,
        "validation:merror": 0.2,
        "validation:objective_loss": 0.7,
        "validation:binary_f_beta": 0.8,
    }


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("a\nb\n", 2, ["a", "b"]),
        ("a,0.9\nb,0.8", 2, ["a", "b"]),
        ("0.0,2.0", 2, ["0.0", "2.0"]),
        ('"a, b"\r\nc d\r\n', 2, ["a, b", "c d"]),
        ("0.0", 1, ["0.0"]),
        ('{"predictions": [{"score": 1, "predicted_label": 2.0}, {"score": 0.5}]}', 2, ["2.0", "0.5"]),
    ],
)
def test_the_answers_of_every_algorithm_are_read(text: str, asked: int, found: list[str]) -> None:
    assert predictions(text, asked) == found


@pytest.mark.parametrize(
    ("labels", "answers", "text"),
    [
        (["a", "b"], ["a", "a"], "accuracy 0.500"),
        (["1", "2"], ["1.0", "2.0"], "accuracy 1.000"),
        (["100", "300"], ["110.5", "330"], "RMSE 22.47, MAE 20.25, R2 0.9495"),
        (["100.5", "100.5"], ["110.5", "90.5"], "RMSE 10, MAE 10"),
    ],
)
def test_predictions_are_scored_as_classes_or_as_numbers(labels: list[str], answers: list[str], text: str) -> None:
    assert described(score(labels, answers).metrics) == text


def test_a_label_is_the_same_as_its_number() -> None:
    assert same("2", "2.0")
    assert same("setosa", "setosa")
    assert not same("2", "1.0")
    assert not same("setosa", "2.0")


@pytest.mark.parametrize(
    ("images", "repositories", "message"),
    [
        (["no-folder"], [], "--image no-folder: must be URI=FOLDER"),
        ([f"{XGBOOST}="], [], "must be URI=FOLDER"),
        ([f"{XGBOOST}=nowhere"], [], "no such folder: nowhere"),
        (["docker.io/x:1=here"], [], "is not an image in ECR"),
        ([f"{XGBOOST}=empty"], [], "there is no Dockerfile in"),
        ([f"{XGBOOST}=here", f"{XGBOOST}=here"], [], f"--image {XGBOOST}: given twice"),
        ([], ["algorithm=here"], "--repository algorithm: must be the full name"),
        ([], ["team/algorithm"], "--repository team/algorithm: must be OWNER/REPOSITORY=FOLDER"),
    ],
)
def test_a_wrong_option_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: list[str], repositories: list[str], message: str
) -> None:
    write_container(tmp_path / "here")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RehearsalError, match=message.replace("(", r"\(")):
        StandIns.parse(images, repositories)


def test_right_options_are_read(tmp_path: Path) -> None:
    folder = write_container(tmp_path / "here")
    found = StandIns.parse([f"{XGBOOST}={folder}"], [f"team/algorithm={os.path.relpath(folder)}"])
    assert found == StandIns({XGBOOST: folder}, {"team/algorithm": folder})
