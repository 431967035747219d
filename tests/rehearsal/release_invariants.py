"""What must hold after every release, whatever has gone wrong in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_aws.tiny_pipeline import wait_for

from mlops_constructs.deployed.endpoints import predict

if TYPE_CHECKING:
    from mlops_constructs.deployed.executions import Execution
    from mlops_constructs.rehearsal.rehearsed import RehearsedPipeline

ROWS = [["5.1", "3.5", "1.4", "0.2"], ["6.0", "2.9", "4.5", "1.5"], ["6.3", "3.3", "6.0", "2.5"]]
_RUNNING = ("InProgress", "Stopping")


@dataclass(frozen=True)
class State:
    """What the account has of a pipeline.

    Attributes:
        jobs: Training jobs by name, with their status.
        releases: Numbers of the releases, newest first.
        package: The model package that production runs; empty before the first release.
        asked: How often an approval was asked for.
    """

    jobs: dict[str, str]
    releases: list[int]
    package: str
    asked: int

    @classmethod
    def of(cls, pipeline: RehearsedPipeline) -> State:
        pages = pipeline.client("sagemaker").get_paginator("list_training_jobs").paginate()
        jobs = {
            one["TrainingJobName"]: one["TrainingJobStatus"] for page in pages for one in page["TrainingJobSummaries"]
        }
        numbers = [int(one["release"]) for one in pipeline.releases()]
        return cls(jobs, numbers, package_in_production(pipeline), len(pipeline.evidence))


def package_in_production(pipeline: RehearsedPipeline) -> str:
    """Give the package that the production stack says it runs."""
    stacks = pipeline.client("cloudformation").describe_stacks()["Stacks"]
    found = [one for one in stacks if one["StackName"] == pipeline.deployed.stacks[-1]]
    if not found or found[0]["StackStatus"] in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
        return ""
    given = {one["ParameterKey"]: one["ParameterValue"] for one in found[0]["Parameters"]}
    return str(given.get("ModelPackageArn", ""))


def check(pipeline: RehearsedPipeline, before: State, outcome: Execution) -> State:
    """Check a release that has ended, and give the state after it."""
    wait_for(lambda: not [name for name, status in State.of(pipeline).jobs.items() if status in _RUNNING])
    pipeline.settle()
    after = State.of(pipeline)
    new = after.jobs.keys() - before.jobs.keys()
    assert len(new) <= 1, f"one execution has trained more than once: {sorted(new)}"
    assert after.releases == list(range(len(after.releases), 0, -1)), "the numbers of the releases have gaps"
    changed = after.package != before.package
    if outcome.status == "Succeeded":
        assert len(new) == 1
        assert changed, "the execution succeeded, and production runs what it ran before"
        wait_for(lambda: len(State.of(pipeline).releases) == len(before.releases) + 1)
        assert pipeline.releases()[0]["execution_id"] == outcome.execution_id
    else:
        assert outcome.reason, "it failed, and no action says why"
    if after.package:
        newest = pipeline.releases()[0]
        assert newest["model_package_arn"] == after.package, "the newest record is not what production runs"
        status = pipeline.client("sagemaker").describe_model_package(ModelPackageName=after.package)
        assert status["ModelApprovalStatus"] == "Approved", "production runs a package that is not approved"
    assert after.asked - before.asked <= 1
    return State.of(pipeline)


def answers(pipeline: RehearsedPipeline) -> list[Any]:
    """Give what production predicts."""
    return list(predict(pipeline.aws.client, pipeline.production_endpoint(), ROWS))
