"""What each status of a SageMaker job means: one table, for every function and every kind of job."""

from __future__ import annotations

from enum import Enum


class Meaning(Enum):
    """What a status says about the job's result."""

    RUNNING = "the job works; wait for it, or stop it"
    ENDING = "the job was told to stop and saves what it has; wait for it"
    COMPLETE = "the job did all of its work; its result counts"
    CUT_SHORT = "the job was ended early; its result counts only where ending early was part of the plan"
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
# While a training job has one of these secondary statuses, it waits for its instances.
WITHOUT_INSTANCES = frozenset({"", "Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})


def meaning_of(status: str) -> Meaning:
    """The meaning of a job's status; a status that AWS adds later has no result that anybody may count on."""
    return MEANINGS.get(status, Meaning.LOST)
