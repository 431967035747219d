"""A bounded run of `make fuzz`: no request gets 500, much memory or much time; and such a server would be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from container_fuzz.cases import Case, case
from container_fuzz.watch import Result, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Server, StartServer, Trained

# `make fuzz` begins at 0 and goes on.
SMALL, LARGE = range(1_000_000, 1_000_200), range(5)
GREEDY = """
def predict(model, records):
    if records[0][0] == 99:
        import numpy
        numpy.ones(50_000_000).sum()
        raise RuntimeError("no")
    return [model] * len(records)
"""


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    watch = Watch(server.process.pid, server.port)
    yield watch
    watch.close()


def test_no_request_gets_500_or_much_memory_or_time(watch: Watch) -> None:
    watch.settle()
    cases = [*(case(number, rare=False) for number in SMALL), *(large(number) for number in LARGE)]
    results = [(asked, watch.send(asked)) for asked in cases]
    assert [f"{asked}: {result}" for asked, result in results if result.faults(wall=False)] == []
    assert watch.ping() < float("inf")
    statuses = [result.status for _, result in results]
    assert {200, 400, 406, 415} <= set(statuses)
    assert statuses.count(200) > 20


def large(number: int) -> Case:
    """A request with a body of megabytes."""
    return next(one for one in map(case, range(10_000 * number, 10_000 * (number + 1))) if len(one.body) > 1_000_000)


def test_a_server_that_fails_and_takes_memory_is_found(
    light_container: Callable[[str], Path], start_server: StartServer, trained: Trained
) -> None:
    server = start_server(trained.job.base, light_container(GREEDY)).wait_until_ready()
    watch = Watch(server.process.pid, server.port)
    watch.settle()
    asked = Case(0, "POST", "/invocations", {"Content-Type": "text/csv"}, b"99,2,3,4", chunked=False)
    status, memory = watch.send(asked).faults(wall=False)
    watch.close()
    assert status == "status 500"
    assert memory.endswith("MB more memory")


@pytest.mark.parametrize(("seconds", "cpu", "wall", "found"), [(9, 1, False, 0), (9, 1, True, 1), (9, 8, False, 1)])
def test_time_is_that_of_the_server_where_the_machine_may_be_busy(
    seconds: float, cpu: float, wall: bool, found: int
) -> None:
    assert len(Result(200, seconds, cpu, 0).faults(wall=wall)) == found


def test_the_same_number_gives_the_same_request() -> None:
    assert [case(number) for number in range(40)] == [case(number) for number in range(40)]
