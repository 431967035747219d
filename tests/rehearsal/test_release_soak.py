"""A few of the random runs of `make soak`, and that each kind of bug is found which is put in on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from release_soak.breaks import BREAKS, broken
from release_soak.faults import CALLS
from release_soak.invariants import opens
from release_soak.machine import Result, play, search
from release_soak.site import deployed_site
from release_soak.steps import SAYS, Step

from mlops_constructs.rehearsal.sweep import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_soak.site import Site

RUNS, STEPS = 1, 4
pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with deployed_site() as site:
        yield site
    assert not site.processes_left()


def test_the_faults_are_beside_every_call_of_a_release(site: Site) -> None:
    found: list[str] = []
    calls = record(site.faults, lambda: found.append(play(site, [Step()])))
    made = {(one.function.removeprefix(f"{site.name}-"), f"{one.service}.{one.operation}") for one in calls}
    known = {(function, name) for function, names in CALLS.items() for name in names}
    assert found == [""]
    assert made - known == set()


def test_nothing_is_lost_and_nothing_is_done_twice(site: Site) -> None:
    result = Result()
    search(site, result, seed_of_runs=15, runs=RUNS, steps=STEPS)
    assert not result.failure, result.failure
    assert result.runs >= RUNS


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_on_purpose_is_found(site: Site, name: str) -> None:
    with broken(site, name):
        assert BREAKS[name].said in play(site, BREAKS[name].shown)


def test_nothing_is_found_where_nothing_is_broken(site: Site) -> None:
    steps = [step for bug in BREAKS.values() for step in bug.shown if step != Step()]
    assert not play(site, steps)


def test_only_some_of_what_is_said_may_open_the_gate() -> None:
    assert [one for one in SAYS if opens(one)] == [SAYS[0], "1", "0.8", '{"value": 0.9}']
