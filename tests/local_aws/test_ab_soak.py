"""A few of the random runs of `make soak`, and that each of its invariants finds what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ab_soak.account import Account
from ab_soak.breaks import BREAKS
from ab_soak.calls import KILLED_AFTER, OVERTAKEN, Fault
from ab_soak.soak import Soak
from ab_soak.steps import FAIL, Step, Trouble, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 8
# What breaks to the steps that show it, and what is said then.
FOUND = {
    "two-writes": ([Step("promote")], "champion and challenger are both in"),
    "policy-kept": ([], "needs the same variant names"),
    "target-kept": ([], "must be deregistered as scalable targets"),
    "last-writer-wins": (
        [Step("shift", Trouble(Fault(OVERTAKEN, "PutObject"), others="guard"), number=30)],
        "two writers wrote version",
    ),
    "weight-left": ([Step("guard")], "the shares are"),
    "segment-open": ([Step("shift", number=30)], "has the share 0.25"),
}
WEIGHTS = Fault(OVERTAKEN, "UpdateEndpointWeightsAndCapacities")
# What has once been found.
MENDED = {
    "the guard ends the test just before a promotion asks for the weights": [
        Step("release"),
        Step("promote", Trouble(WEIGHTS, others="guard")),
    ],
    "a person ends the test just before a promotion asks for the weights": [
        Step("release"),
        Step("promote", Trouble(WEIGHTS, others="abort")),
    ],
    "a person ends the test just before its first weights are asked for": [
        Step("release", Trouble(WEIGHTS, others="abort")),
    ],
    "a champion whose rollback was killed has no release record": [
        Step("release"),
        Step("clean"),
        Step("rollback", Trouble(Fault(KILLED_AFTER, "ExecuteChangeSet"), FAIL), number=1),
    ],
}


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Account() as account:
        yield account


@pytest.mark.parametrize("number", range(RUNS))
def test_whatever_happens_the_champion_answers(account: Account, number: int) -> None:
    assert not Soak(account, f"random-{number}").play(run_of(f"0-{number}"))


@pytest.mark.parametrize("name", MENDED)
def test_what_was_found_stays_mended(account: Account, name: str) -> None:
    assert not Soak(account, f"mended-{len(name)}").play(MENDED[name])


@pytest.mark.parametrize("name", FOUND)
def test_what_is_broken_on_purpose_is_found(account: Account, name: str) -> None:
    steps, sentence = FOUND[name]
    with BREAKS[name]():
        assert sentence in Soak(account, f"broken-{name}").play([Step("release"), *steps])


def test_everything_that_can_be_broken_is_tested() -> None:
    assert FOUND.keys() == BREAKS.keys() - {""}


def test_nothing_is_found_where_nothing_is_broken(account: Account) -> None:
    steps = [step for steps, _ in FOUND.values() for step in steps]
    assert not Soak(account, "whole").play([Step("release"), *steps])
