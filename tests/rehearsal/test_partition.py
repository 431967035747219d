"""A rehearsal in us-gov-west-1: every ARN of it is of that region's partition. One deployment serves all tests.

What is rehearsed is the regression that ``mlops init`` writes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rehearsal.deployed_site import Site, deployed_site, synthesized

from mlops_constructs.cli.main import main
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution

pytestmark = pytest.mark.terraform


def partitions(what: Any) -> set[str]:
    return set(re.findall(r"\barn:([a-z-]+):", json.dumps(what, default=str)))


class Government(Site):
    """The deployed stack, and all that was told of it."""

    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Government]:
    output = tmp_path_factory.mktemp("synth")
    project = output / "project"
    assert main(["init", "--task", "regression", str(project)]) == 0
    stack = synthesized(Path(__file__).with_name("government_app.py"), output / "out", str(project / "container"))
    events: list[dict[str, Any]] = []
    with deployed_site(stack, RehearsalData.find([str(project / "data")]), told=events.append) as site:
        government = Government(site.rehearsal, site.deployed, site.approver)
        government.events = events
        yield government


@pytest.fixture(scope="module")
def release(site: Government) -> Execution:
    site.rehearsal.build_image()
    return site.rehearsal.run()


def test_everything_that_terraform_made_is_of_the_partition(site: Government) -> None:
    state = json.loads((site.aws.workdir / ".terraform-stack" / "terraform.tfstate").read_text())
    assert partitions(state) == {"aws-us-gov"}


def test_a_release_passes_and_its_actions_name_only_the_partition(release: Execution) -> None:
    assert release.status == "Succeeded"
    assert partitions(release.actions) == {"aws-us-gov"}


def test_events_name_only_the_partition(site: Government, release: Execution) -> None:
    assert {event["source"] for event in site.events} >= {
        "aws.codebuild",
        "aws.codepipeline",
        "aws.s3",
        "aws.sagemaker",
    }
    assert partitions(site.events) == {"aws-us-gov"}


def test_what_the_release_made_is_of_the_partition(site: Government, release: Execution) -> None:
    sagemaker = site.client("sagemaker")
    job = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"]
    made = [
        sagemaker.describe_training_job(TrainingJobName=job),
        sagemaker.list_endpoints(),
        sagemaker.list_endpoint_configs(),
        sagemaker.list_models(),
        sagemaker.list_model_packages(ModelPackageGroupName=release.pipeline),
        site.client("cloudformation").describe_stacks(),
        site.client("codebuild").batch_get_builds(ids=site.client("codebuild").list_builds()["ids"]),
        site.client("cloudwatch").describe_alarms(),
        site.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker"),
    ]
    assert [partitions(one) for one in made] == [{"aws-us-gov"}] * len(made)


def test_the_approver_reads_the_errors_of_a_regression(site: Government, release: Execution) -> None:
    (evidence,) = site.approver.evidence
    assert re.search(
        r"Gate passed: validation:rmse is \d+\.?\d* \(required: at most 80, no worse than production\)", evidence
    )
    assert re.search(r"DEV smoke test: RMSE \d+\.?\d* and MAE \d+\.?\d* on 10 golden records, p95 ", evidence)


def test_production_predicts_numbers_and_nothing_is_left(site: Government, release: Execution) -> None:
    site.rehearsal.ask_production()
    assert site.rehearsal.result.rows == 100
    assert site.rehearsal.result.metrics["rmse"] < 80
    assert site.rehearsal.result.metrics["r2"] > 0.2
    site.rehearsal.destroy()
