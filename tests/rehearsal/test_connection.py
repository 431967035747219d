"""The algorithm at GitHub, with a git repository of this machine in its place. One deployment serves all tests.

Where this machine can run it, the algorithm is in a container in the shape of AWS's sample, which nobody wrote for us.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from git_program import git
from local_aws.tiny_pipeline import wait_for
from rehearsal.centroid_container import write_container
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized
from rehearsal.sample_container import write_sample

from mlops_constructs.local_aws.containers.sandbox import sandbox_problem
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.deployed import Execution

pytestmark = pytest.mark.terraform
REPOSITORY = "team/churn-model"
WHY_NO_SAMPLE = "nginx is not on PATH" if shutil.which("nginx") is None else sandbox_problem()


class GitHub(Site):
    """A deployed stack, and the repository behind its connection."""

    repository: Path

    def commit(self, text: str, branch: str = "main") -> str:
        (self.repository / "NOTES.md").write_text(text)
        git(self.repository, "checkout", "-q", "-B", branch)
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "-q", "-m", text)
        return git(self.repository, "rev-parse", "HEAD")

    def push(self, branch: str) -> None:
        """Tell the connection that a branch has a new commit."""
        self.aws.connections.push(REPOSITORY, branch)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    folder = tmp_path_factory.mktemp("github")
    sample = WHY_NO_SAMPLE is None
    repository = write_sample(folder / "churn-model") if sample else write_container(folder / "churn-model", "own")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "-m", "The first version")
    stack = synthesized(ROOT / "examples" / "github" / "main.py", folder / "synth")
    with deployed_site(stack, RehearsalData.iris(), repositories={REPOSITORY: repository}) as site:
        github = GitHub(site.rehearsal, site.deployed, site.approver)
        github.repository = repository
        yield github


@pytest.fixture(scope="module")
def first_failure(site: GitHub) -> Execution:
    """The execution that CodePipeline starts by itself, before a person has completed the connection."""
    return site.follow_new(set(), site.image_pipeline)


@pytest.fixture(scope="module")
def built(site: GitHub, first_failure: Execution) -> str:
    """The image after the connection is completed and a change is released."""
    site.rehearsal.build_image()
    return site.image()


@pytest.fixture(scope="module")
def champion(site: GitHub, built: str) -> Execution:
    """A model in production."""
    return site.rehearsal.run()


def test_a_pending_connection_fails_with_the_reason(site: GitHub, first_failure: Execution) -> None:
    assert first_failure.status == "Failed"
    assert first_failure.reason.startswith("Source / Code: the connection arn:aws:codestar-connections:us-east-1:")
    assert "is PENDING, not AVAILABLE: a person must complete it in the console" in first_failure.reason


def test_a_completed_connection_builds_the_commit(site: GitHub, built: str) -> None:
    assert "@sha256:" in built
    tags = site.client("ecr").describe_images(repositoryName=site.pipeline)["imageDetails"]
    assert [image["imageTags"] for image in tags] == [[git(site.repository, "rev-parse", "main")]]


def test_the_first_image_retrains_nothing_because_nothing_was_trained(site: GitHub, built: str) -> None:
    executions = site.follower().executions.newest()
    assert [execution["trigger"]["triggerType"] for execution in executions] == ["CreatePipeline"]


def test_the_model_answers(site: GitHub, champion: Execution) -> None:
    site.rehearsal.ask_production()
    assert site.rehearsal.result.metrics["accuracy"] > 0.8


@pytest.mark.skipif(WHY_NO_SAMPLE is not None, reason=f"the sample cannot run: {WHY_NO_SAMPLE}")
def test_it_was_nginx_that_answered_from_a_container_of_others(site: GitHub, champion: Execution) -> None:
    group = f"/aws/sagemaker/Endpoints/{site.rehearsal.result.production_endpoint}"
    events = site.client("logs").filter_log_events(logGroupName=group)["events"]
    assert any('"POST /invocations HTTP/1.1" 200' in event["message"] for event in events)


def test_a_push_to_another_branch_builds_nothing(site: GitHub, champion: Execution) -> None:
    before = site.known(site.image_pipeline)
    site.commit("an idea", branch="idea")
    site.push("idea")
    git(site.repository, "checkout", "-q", "main")
    assert site.known(site.image_pipeline) == before


def test_a_push_builds_exactly_that_commit_and_the_new_image_trains_on_the_same_data(
    site: GitHub, champion: Execution
) -> None:
    builds, trainings = site.known(site.image_pipeline), site.known()
    commit = site.commit("a better one")
    site.push("main")
    build = site.follow_new(builds, site.image_pipeline)
    assert build.status == "Succeeded", build.reason
    assert build.variable("Code", "CommitId") == commit
    again = site.follow_new(trainings)
    assert again.status == "Succeeded", again.reason
    for variable in ("ObjectKey", "VersionId"):
        assert again.variable("Dataset", variable) == champion.variable("Dataset", variable)
    assert again.variable("Train", "Image") == site.image() != champion.variable("Train", "Image")


def test_a_rebuild_of_the_same_commit_trains_nothing(site: GitHub, champion: Execution) -> None:
    builds, trainings = site.known(site.image_pipeline), site.known()
    site.push("main")
    assert site.follow_new(builds, site.image_pipeline).status == "Succeeded"
    logs = site.client("logs")
    group = f"/aws/lambda/{site.pipeline}-start-retraining"

    def told() -> bool:
        events = logs.filter_log_events(logGroupName=group, filterPattern="")["events"]
        return any("has already trained with this image" in event["message"] for event in events)

    wait_for(told)
    assert site.known() == trainings
