"""What all requests may hold together, and how large ones take their turns."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sagemaker_contract.errors import RequestError
from sagemaker_contract.serving.budget import MOST, MOST_LARGE, TINY_BYTES, Budget, Gate
from sagemaker_contract.serving.messages import DisconnectedError, RefusedBodyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reply, Server, StartServer

MEGABYTE = 1024 * 1024
LONG = 60.0


def test_body_over_the_maximum_is_refused() -> None:
    with pytest.raises(RefusedBodyError) as caught:
        Budget(MEGABYTE).expect(MEGABYTE + 1)
    assert caught.value.status == 413


def test_42_large_bodies_leave_room_for_small_ones() -> None:
    budget = Budget(MEGABYTE)
    budget.held = MOST_LARGE * MEGABYTE
    with pytest.raises(RefusedBodyError) as caught:
        budget.expect(100_000)
    assert caught.value.status == 503
    budget.expect(5000)
    budget.held = MOST * MEGABYTE
    with pytest.raises(RefusedBodyError):
        budget.expect(5000)
    budget.expect(TINY_BYTES)


def test_single_body_is_always_accepted() -> None:
    budget = Budget(MEGABYTE)
    budget.expect(MEGABYTE)
    # All that is held is a part of this body.
    budget.held = 500_000
    budget.expect(MEGABYTE, already=500_000)


async def never() -> dict[str, object]:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def disconnect() -> dict[str, object]:
    return {"type": "http.disconnect"}


async def enter(gate: Gate, size: int, log: list[str], name: str, go: asyncio.Event) -> None:
    async with gate.inside(size, never, LONG):
        log.append(f"{name} in")
        await go.wait()
    log.append(f"{name} out")


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_bodies_enter_up_to_the_size_in_their_order() -> None:
    async def scenario() -> list[str]:
        gate, log = Gate(10), list[str]()
        go = {name: asyncio.Event() for name in "abcd"}
        sizes = {"a": 6, "b": 4, "c": 9, "d": 1}
        tasks = [asyncio.ensure_future(enter(gate, size, log, name, go[name])) for name, size in sizes.items()]
        await turns()
        for name in "abcd":
            go[name].set()
            await turns()
        await asyncio.gather(*tasks)
        assert gate.is_empty
        return log

    # d would fit beside a and b, but c came first.
    assert asyncio.run(scenario()) == ["a in", "b in", "a out", "b out", "c in", "d in", "c out", "d out"]


def test_single_body_larger_than_the_gate_enters() -> None:
    async def scenario() -> None:
        async with Gate(10).inside(20, never, LONG):
            pass

    asyncio.run(scenario())


def test_client_that_disconnects_leaves_the_queue() -> None:
    async def scenario() -> None:
        gate = Gate(10)
        async with gate.inside(10, never, LONG):
            with pytest.raises(DisconnectedError):
                async with gate.inside(5, disconnect, LONG):
                    pass
        async with gate.inside(10, never, LONG):
            assert not gate.is_empty
        assert gate.is_empty

    asyncio.run(scenario())


def test_body_without_a_turn_in_time_gets_503_and_others_go_on() -> None:
    async def scenario() -> None:
        gate, log, go = Gate(10), list[str](), asyncio.Event()
        async with gate.inside(6, never, LONG):
            late = asyncio.ensure_future(gate.inside(9, never, 0.01).__aenter__())
            await turns()
            waiting = asyncio.ensure_future(enter(gate, 2, log, "b", go))
            with pytest.raises(RequestError) as caught:
                await late
            assert caught.value.status == 503
            await turns()
            # It fits now, because the one before it has left.
            assert log == ["b in"]
            go.set()
            await waiting

    asyncio.run(scenario())


WAITS_FOR_A_FILE = """
def predict(model, records):
    import os, time
    while len(records) > 1 and not os.path.exists(os.environ["GO"]):
        time.sleep(0.02)
    return [model] * len(records)
"""


@pytest.fixture
def waiting_server(
    start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path
) -> Callable[..., Server]:
    def start(**settings: str) -> Server:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "file").touch()
        server = start_server(tmp_path, light_container(WAITS_FOR_A_FILE), GO=str(tmp_path / "go"), **settings)
        return server.wait_until_ready()

    return start


def test_42_large_bodies_beyond_the_budget_get_503(waiting_server: Callable[..., Server], tmp_path: Path) -> None:
    server = waiting_server(SAGEMAKER_MAX_PAYLOAD_IN_MB="1", SAGEMAKER_MODEL_SERVER_TIMEOUT="600")
    body = (",".join(["1"] * 100) + "\n") * 4500
    fit = MOST_LARGE * MEGABYTE // len(body)
    with ThreadPoolExecutor(40) as clients:
        replies = [clients.submit(server.invoke, body) for _ in range(40)]
        while sum(reply.done() for reply in replies) < 40 - fit:
            assert server.ping() == 200
        (tmp_path / "go").touch()
        answers: list[Reply] = [reply.result() for reply in replies]
    refused = [reply for reply in answers if reply.status != 200]
    assert 40 - fit <= len(refused) < 40
    assert {(reply.status, reply.error) for reply in refused} == {(503, "too many large requests at once; try again")}
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    # All that was held is given back.
    assert server.invoke(body).status == 200
