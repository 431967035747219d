"""What each status of a SageMaker job means: one table, for every function and every kind of job."""

from __future__ import annotations

from enum import Enum


class Meaning(Enum):
    """What a status says about the job's result."""

    RUNNING = "the job is running; wait for it, or stop it"
    ENDING = "the job received a request to stop and saves what it has; wait for it"
    COMPLETE = "the job did all of its work; its result counts"
    CUT_SHORT = "the job was ended early; its result counts only when an early end was planned"
    LOST = "the job has no result, and never will have one"


MEANINGS = {
    "InProgress": Meaning.RUNNING,
    "Stopping": Meaning.ENDING,
    "Completed": Meaning.COMPLETE,
    "Stopped": Meaning.CUT_SHORT,
    "Failed": Meaning.LOST,
    "Deleting": Meaning.LOST,
    "DeleteFailed": Meaning.LOST,
}
# A training job with one of these secondary statuses waits for its instances.
WITHOUT_INSTANCES = frozenset({"", "Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})


def meaning_of(status: str) -> Meaning:
    """The meaning of a job's status; a job with an unknown status, which AWS may add later, has no result."""
    return MEANINGS.get(status, Meaning.LOST)
