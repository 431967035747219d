"""Whether everything has happened that will happen by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.state import Execution
    from mlops_constructs.local_aws.local_aws import LocalAws

# Threads that end by themselves; those of pipelines and actions also wait for people.
_PASSING = ("lambda-", "stack-", "processing-", "endpoint-", "build-", "training-", "crash", "reordered-")
_GRAIN_SECONDS = 0.02


def executions(aws: LocalAws) -> list[Execution]:
    """Return all executions that have not ended."""
    executor = aws.codepipeline.executor
    with executor.changed:
        lines = list(executor._lines.values())
        return [one for line in lines for one in line.executions if one.status.value in ("InProgress", "Stopping")]


def waiting(aws: LocalAws) -> list[Execution]:
    """Return the executions that wait for a person."""
    return [one for one in executions(aws) if _approvals(one)]


def _approvals(execution: Execution) -> int:
    runs = [run for run in execution.history if run.approval is not None and run.status.value == "InProgress"]
    return sum(run.approval is not None and run.approval.status is None for run in runs)


def _alone(aws: LocalAws, thread: str, alive: list[Execution]) -> bool:
    """Whether a job runs that nobody has stopped, and nobody waits for: it is no sign that something happens."""
    kind, _, name = thread.partition("-")
    if kind not in ("training", "processing") or any(one.id.replace("-", "")[:12] in name for one in alive):
        return False
    jobs = aws.sagemaker.training_jobs if kind == "training" else aws.sagemaker.processing_jobs
    return jobs.find(name).status == "InProgress"


def at_rest(aws: LocalAws) -> bool:
    """Whether nothing happens any more before a person does something."""
    alive = executions(aws)
    names, spawned = aws.account.working()
    asked = sum(_approvals(one) for one in alive)
    passing = [one for one in names if one.startswith(_PASSING) and not _alone(aws, one, alive)]
    if aws.events.waiting or passing:
        return False
    if any(sum(one.startswith(kind) for one in names) != asked for kind in ("action-", "pipeline-")):
        return False
    return aws.account.working()[1] == spawned and not aws.events.waiting


def wait_for_rest(aws: LocalAws) -> bool:
    """Wait until nothing happens any more; False when that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not at_rest(aws):
        if time.monotonic() > deadline:
            return False
        time.sleep(_GRAIN_SECONDS)
    return True
