"""The algorithm at GitHub, with a git repository of this machine in its place. One deployment serves all tests."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from rehearsal.centroid_container import write_container
from rehearsal.deployed_site import rehearsal_of

from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.follow import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.deployed import DeployedPipeline, Execution
    from mlops_constructs.rehearsal.rehearse import Rehearsal

pytestmark = pytest.mark.terraform
REPOSITORY = "team/churn-model"


class Site:
    """A deployed stack, and the repository behind its connection."""

    def __init__(self, rehearsal: Rehearsal, deployed: DeployedPipeline, repository: Path) -> None:
        self.rehearsal, self.deployed, self.repository = rehearsal, deployed, repository
        self.codepipeline = rehearsal.aws.client("codepipeline")
        self.connections: Any = rehearsal.aws.connections

    def follower(self, pipeline: str | None) -> Follower:
        assert pipeline is not None
        return Follower(self.rehearsal.aws.client, pipeline, self.rehearsal._watcher, time.sleep)

    def known(self, pipeline: str | None) -> set[str]:
        return self.follower(pipeline).executions.ids()

    def follow_new(self, pipeline: str | None, known: set[str]) -> Execution:
        follower = self.follower(pipeline)
        return follower.follow(follower.wait_for_start(known, 20))

    def commit(self, text: str, branch: str = "main") -> str:
        (self.repository / "NOTES.md").write_text(text)
        git(self.repository, "checkout", "-q", "-B", branch)
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "-q", "-m", text)
        return git(self.repository, "rev-parse", "HEAD")

    def image(self) -> str:
        parameter = f"/{self.deployed.name}/image"
        value: str = self.rehearsal.aws.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        return value


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    done = subprocess.run(["git", *who, "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("github")
    repository = write_container(folder / "churn-model", "own")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "-m", "The first version")
    repositories = {REPOSITORY: repository}
    with rehearsal_of("github", folder / "synth", RehearsalData.iris(), repositories=repositories) as rehearsal:
        deployed = rehearsal.deploy()
        yield Site(rehearsal, deployed, repository)


@pytest.fixture(scope="module")
def first_failure(site: Site) -> Execution:
    """The execution that CodePipeline starts by itself, before a person has completed the connection."""
    return site.follow_new(site.deployed.image_pipeline, set())


@pytest.fixture(scope="module")
def built(site: Site, first_failure: Execution) -> str:
    """The image after the connection is completed and a change is released."""
    site.rehearsal.build_image()
    return site.image()


@pytest.fixture(scope="module")
def champion(site: Site, built: str) -> Execution:
    """A model in production."""
    return site.rehearsal.run()


def test_a_pending_connection_fails_with_the_reason(site: Site, first_failure: Execution) -> None:
    assert first_failure.status == "Failed"
    assert first_failure.reason.startswith("Source / Code: the connection arn:aws:codestar-connections:us-east-1:")
    assert "is PENDING, not AVAILABLE: a person must complete it in the console" in first_failure.reason


def test_a_completed_connection_builds_the_commit(site: Site, built: str) -> None:
    assert "@sha256:" in built
    tags = site.rehearsal.aws.client("ecr").describe_images(repositoryName=site.deployed.name)["imageDetails"]
    assert [image["imageTags"] for image in tags] == [[git(site.repository, "rev-parse", "main")]]


def test_the_first_image_retrains_nothing_because_nothing_was_trained(site: Site, built: str) -> None:
    executions = site.follower(site.deployed.name).executions.newest()
    assert [execution["trigger"]["triggerType"] for execution in executions] == ["CreatePipeline"]


def test_the_model_answers(site: Site, champion: Execution) -> None:
    site.rehearsal.ask_production()
    assert site.rehearsal.result.accuracy is not None
    assert site.rehearsal.result.accuracy > 0.8


def test_a_push_to_another_branch_builds_nothing(site: Site, champion: Execution) -> None:
    before = site.known(site.deployed.image_pipeline)
    site.commit("an idea", branch="idea")
    site.connections.push(REPOSITORY, "idea")
    git(site.repository, "checkout", "-q", "main")
    assert site.known(site.deployed.image_pipeline) == before


def test_a_push_builds_exactly_that_commit_and_the_new_image_trains_on_the_same_data(
    site: Site, champion: Execution
) -> None:
    builds, trainings = site.known(site.deployed.image_pipeline), site.known(site.deployed.name)
    commit = site.commit("a better one")
    site.connections.push(REPOSITORY, "main")
    build = site.follow_new(site.deployed.image_pipeline, builds)
    assert build.status == "Succeeded", build.reason
    assert build.variable("Code", "CommitId") == commit
    again = site.follow_new(site.deployed.name, trainings)
    assert again.status == "Succeeded", again.reason
    for variable in ("ObjectKey", "VersionId"):
        assert again.variable("Dataset", variable) == champion.variable("Dataset", variable)
    assert again.variable("Train", "Image") == site.image() != champion.variable("Train", "Image")


def test_a_rebuild_of_the_same_commit_trains_nothing(site: Site, champion: Execution) -> None:
    builds, trainings = site.known(site.deployed.image_pipeline), site.known(site.deployed.name)
    site.connections.push(REPOSITORY, "main")
    assert site.follow_new(site.deployed.image_pipeline, builds).status == "Succeeded"
    logs = site.rehearsal.aws.client("logs")
    group = f"/aws/lambda/{site.deployed.name}-start-retraining"
    for _ in range(100):
        events = logs.filter_log_events(logGroupName=group, filterPattern="")["events"]
        if any("has trained with this image" in event["message"] for event in events):
            break
        time.sleep(0.1)
    assert any("has trained with this image" in event["message"] for event in events)
    assert site.known(site.deployed.name) == trainings
