"""The policies of every program grant what is needed, and nothing that nothing notices."""

from __future__ import annotations

import pytest

from iam_mutation.examples import EXAMPLES, synthesized
from iam_mutation.exceptions import SURVIVORS
from iam_mutation.mutate import RECORDED, Outcome, mutate
from iam_mutation.requests import read


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    rows = read(RECORDED)
    return {name: mutate(program, rows) for name, program in synthesized(EXAMPLES).items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_recorded_and_tabled_request_is_allowed(outcomes: dict[str, Outcome], name: str) -> None:
    assert [one.line() for one in outcomes[name].denied] == []


def test_whatever_a_role_did_in_a_rehearsal_it_may_do_in_some_program(outcomes: dict[str, Outcome]) -> None:
    granted = {pair for outcome in outcomes.values() for pair in outcome.granted}
    assert {(row.principal, row.action) for row in read(RECORDED)} - granted == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_call_of_the_negative_corpus_is_denied(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].calls >= 1500
    assert [one.line() for one in outcomes[name].allowed] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_change_of_a_policy_is_noticed(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].tried > 700
    assert [survivor for survivor in outcomes[name].survivors if not SURVIVORS.reason(survivor)] == []


def test_every_exception_is_needed_and_has_a_reason(outcomes: dict[str, Outcome]) -> None:
    survivors = {survivor for outcome in outcomes.values() for survivor in outcome.survivors}
    assert SURVIVORS.unused(survivors) == []
    assert all(len(reason) > 40 for reason in SURVIVORS.reasons())
