"""After any history a pipeline can be left: nothing of it remains, listed service by service, and nothing else goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ab_soak.account import Account
from ab_soak.calls import OVERTAKEN, TWICE, Fault
from leave_soak.breaks import BREAKS
from leave_soak.leaving import COMMAND, FUNCTION, BrokenError, Plan, guarded, leave

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 10
FORGOTTEN = {"damage": ["forget_stack"]}
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
