"""After any history a pipeline can be left: nothing of it remains, listed service by service, and nothing else goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ab_soak.account import Account
from ab_soak.calls import KILLED_AFTER, OVERTAKEN, TWICE, Fault
from leave_soak.breaks import BREAKS
from leave_soak.jobs import JOBS
from leave_soak.leaving import COMMAND, FUNCTION, Plan, guarded, leave
from leave_soak.pauses import PAUSE, Attempt
from soaks import BrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 5
FORGOTTEN = {"damage": ["forget_stack"]}
PAUSED = {"pauses": [Attempt(PAUSE)]}
# A command that has ended while CloudFormation goes on, and the next one.
INTERRUPTED = {"pauses": [Attempt(PAUSE, Fault(KILLED_AFTER, "UpdateStack")), Attempt(PAUSE)]}
# What breaks to the plan that shows it, and what is said then.
FOUND = {
    "executions-go-on": (Plan(), "executions go on"),
    "starts-go-on": (Plan(), r"left: \['stack"),
    "no-wait-for-changes": (Plan(damage=["keep_busy"]), "an end that nothing disturbs fails"),
    "stuck-stack": (Plan(damage=["fail_deletion"]), "is DELETE_FAILED"),
    "no-orphans": (Plan(**FORGOTTEN), r"left: \['endpoint"),
    "no-alarms": (Plan(**FORGOTTEN), r"left: \['alarm"),
    "no-targets": (Plan(**FORGOTTEN), r"left: \['scalable target"),
    "no-packages": (Plan(), "the model package group cannot be deleted"),
    "deleted-twice": (Plan(faults=[Fault(TWICE, "DeleteModelPackage")]), "does not matter, but"),
    "paused-stack-stays": (Plan(**PAUSED), r"left: \['stack"),
    "training-goes-on": (Plan(jobs=["train"]), r"left: \['training job"),
    "tuning-goes-on": (Plan(jobs=["tune"]), r"tuning job broken"),
    "evaluation-goes-on": (Plan(jobs=["evaluate"]), r"left: \['processing job"),
    "transform-goes-on": (Plan(jobs=["batch"]), r"left: \['transform job"),
    "jobs-of-others": (Plan(jobs=["of_another"]), "the transform job of another pipeline is Stop"),
    "no-wait-for-a-pause": (Plan(**INTERRUPTED), r"is not refused, but: .* is UPDATE_\w*IN_PROGRESS"),
    "function: paused stack stays": (Plan(by=FUNCTION, **PAUSED), r"left: \['stack"),
    "function: training goes on": (Plan(by=FUNCTION, jobs=["train"]), r"left: \['training job"),
    "function: tuning goes on": (Plan(by=FUNCTION, jobs=["tune"]), r"tuning job broken"),
    "function: evaluation goes on": (Plan(by=FUNCTION, jobs=["evaluate"]), r"left: \['processing job"),
    "function: transform goes on": (Plan(by=FUNCTION, jobs=["golden"]), r"left: \['transform job"),
    "function: starts go on": (Plan(by=FUNCTION), r"left: \['stack"),
    "function: no orphans": (Plan(by=FUNCTION, **FORGOTTEN), r"left: \['endpoint"),
    "function: no alarms": (Plan(by=FUNCTION, **FORGOTTEN), r"left: \['alarm"),
    "function: no packages": (Plan(by=FUNCTION), "the model package group cannot be deleted"),
    "function: no executions": (Plan(by=FUNCTION), "executions go on"),
}


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Account() as account:
        yield account


@pytest.mark.parametrize("number", range(RUNS))
def test_whatever_has_happened_nothing_is_left(account: Account, number: int) -> None:
    plan = Plan.of(f"leave-{number}")
    try:
        leave(account, f"leave-{number:02}", plan)
    except Exception as error:
        raise AssertionError(f"{error}\n{plan}") from error


@pytest.mark.parametrize("by", [COMMAND, FUNCTION])
def test_a_paused_pipeline_with_running_jobs_leaves_nothing(account: Account, by: str) -> None:
    leave(account, f"paused-{by}", Plan(by=by, jobs=list(JOBS), **INTERRUPTED))


@pytest.mark.parametrize("by", [COMMAND, FUNCTION])
def test_an_upload_during_the_end_makes_nothing_again(account: Account, by: str) -> None:
    faults = [Fault(OVERTAKEN, "DeleteStack"), Fault(OVERTAKEN, "ListModelPackages")]
    leave(account, f"upload-{by}", Plan(by=by, faults=faults))


def test_a_destroy_without_the_command_is_refused_and_says_what_to_do(account: Account) -> None:
    said = guarded(account, "guarded", Plan())
    for part in ("execution ", "stack guarded-production", "stack guarded-dev", "mlops teardown guarded --yes"):
        assert part in said


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_on_purpose_is_found(account: Account, name: str) -> None:
    plan, said = FOUND[name]
    with BREAKS[name](), pytest.raises(BrokenError, match=said):
        leave(account, f"broken-{list(BREAKS).index(name)}", plan)


def test_everything_that_can_be_broken_is_tested() -> None:
    assert FOUND.keys() == BREAKS.keys()
