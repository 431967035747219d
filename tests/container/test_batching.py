"""Micro-batching by itself, in an event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from patience import PATIENCE_SECONDS
from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.serving.batching import (
    MOST_RECORDS_PER_CALL,
    MOST_WAITING,
    MOST_WAITING_BYTES,
    Batcher,
    Prediction,
)
from sagemaker_contract.serving.telemetry import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator


class Model:
    """Answers each record with its first value; notes what it was asked, and in which thread."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.threads: set[str] = set()
        self.seconds = 0.0

    def __call__(self, records: np.ndarray, attributes: str) -> Prediction:
        time.sleep(self.seconds)
        self.sizes.append(len(records))
        self.threads.add(threading.current_thread().name)
        if (records < 0).any():
            raise InputError("negative")
        return Prediction(records[:, 0].tolist(), attributes)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def batcher(model: Model) -> Iterator[Callable[[], Batcher]]:
    with ThreadPoolExecutor(1, "predict") as thread:
        yield lambda: Batcher(model, thread, Board(1).row(0), PATIENCE_SECONDS)


def record(value: float, rows: int = 1, columns: int = 2) -> np.ndarray:
    return np.full((rows, columns), value)


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, PATIENCE_SECONDS))


def test_requests_of_one_turn_are_one_batch(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        answers = await asyncio.gather(*(queue.submit(record(value), "") for value in range(10)))
        assert [answer.answers for answer in answers] == [[value] for value in range(10)]

    run(work())
    assert model.sizes == [10]


async def one_a_turn(queue: Batcher, count: int) -> None:
    """Submit so many requests, each in a turn of the loop of its own."""
    answers = []
    for value in range(count):
        answers.append(queue.submit(record(value), ""))
        await asyncio.sleep(0)
    await asyncio.gather(*answers)


def test_turns_that_bring_more_are_one_batch(model: Model, batcher: Callable[[], Batcher]) -> None:
    run(one_a_turn(batcher(), 10))
    assert model.sizes == [10]


def test_turn_that_brings_nothing_closes_the_batch(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        queue.learn(0.0001)
        first = queue.submit(record(1), "")
        for _ in range(3):
            await asyncio.sleep(0)
        assert first.done()
        await queue.submit(record(2), "")

    run(work())
    assert model.sizes == [1, 1]


def test_batch_collects_no_longer_than_a_prediction_takes(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        queue.learn(1e-9)
        await one_a_turn(queue, 10)

    run(work())
    assert model.sizes[0] <= 3


def test_slow_model_is_asked_in_its_thread(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        await batcher().submit(record(1), "")

    run(work())
    assert model.threads == {"predict_0"}


def test_fast_model_is_asked_in_the_loop(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        queue.learn(0.0001)
        await queue.submit(record(1), "")

    run(work())
    assert model.threads == {"MainThread"}


def test_many_records_are_predicted_in_the_thread_even_so(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        queue.learn(0.0001)
        await queue.submit(record(1, rows=5000), "")

    run(work())
    assert model.threads == {"predict_0"}


def test_batch_stays_below_its_limit(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        await asyncio.gather(*(queue.submit(record(1, rows=600), "") for _ in range(3)), queue.submit(record(1), ""))

    run(work())
    assert model.sizes == [600, 600, 601]


def test_fault_of_one_is_not_that_of_all(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        futures = [queue.submit(record(value), "") for value in (1, -1, 2)]
        good, bad, other = await asyncio.gather(*futures, return_exceptions=True)
        assert isinstance(good, Prediction)
        assert isinstance(other, Prediction)
        assert isinstance(bad, InputError)
        assert (good.answers, other.answers) == ([1], [2])

    run(work())


@pytest.mark.parametrize(("attributes", "columns"), [(("a", "b"), (2, 2)), (("a", "a"), (2, 3))])
def test_what_differs_is_not_predicted_together(
    model: Model, batcher: Callable[[], Batcher], attributes: tuple[str, str], columns: tuple[int, int]
) -> None:
    async def work() -> None:
        queue = batcher()
        futures = [
            queue.submit(record(1, columns=width), text) for text, width in zip(attributes, columns, strict=True)
        ]
        answers = await asyncio.gather(*futures)
        assert tuple(answer.attributes for answer in answers) == attributes

    run(work())
    assert model.sizes == [1, 1]


def test_too_many_waiting_are_refused(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        waiting = [queue.submit(record(1), "") for _ in range(MOST_WAITING)]
        with pytest.raises(RequestError) as caught:
            queue.submit(record(1), "")
        assert caught.value.status == 503
        await asyncio.gather(*waiting)

    run(work())


def test_too_many_waiting_bytes_are_refused(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        half = record(1, 32, MOST_WAITING_BYTES // 2 // 8 // 32)
        waiting = [queue.submit(half, ""), queue.submit(half, "")]
        with pytest.raises(RequestError) as caught:
            queue.submit(record(1), "")
        assert caught.value.status == 503
        await asyncio.gather(*waiting)
        # Predicted records do not count any more; and one request may have more than all together.
        await queue.submit(np.concatenate([half] * 3), "")

    run(work())


def test_many_records_are_predicted_in_parts(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        records = np.arange(2.0 * (2 * MOST_RECORDS_PER_CALL + 1)).reshape(-1, 2)
        prediction = await batcher().submit(records, "seen")
        assert prediction == Prediction(records[:, 0].tolist(), "seen")

    run(work())
    assert model.sizes == [MOST_RECORDS_PER_CALL, MOST_RECORDS_PER_CALL, 1]


def test_cancelled_requests_are_never_predicted(model: Model, batcher: Callable[[], Batcher]) -> None:
    async def work() -> None:
        queue = batcher()
        waiting = queue.submit(record(1), "")
        waiting.cancel()
        await asyncio.sleep(0.05)

    run(work())
    assert model.sizes == []


def test_wrong_number_of_answers_is_an_error(batcher: Callable[[], Batcher], model: Model) -> None:
    async def work() -> None:
        with ThreadPoolExecutor(1) as thread:
            queue = Batcher(lambda _records, _text: Prediction([1]), thread, Board(1).row(0), 1.0)
            with pytest.raises(ValueError, match="returned 1 predictions for 3 records"):
                await queue.submit(record(1, rows=3), "")

    run(work())
