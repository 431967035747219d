"""Micro-batching without a timer: requests that are waiting at the same time are predicted in one call.

A batch is complete after the first iteration of the event loop that brings no new request. It collects at most as long
as one prediction takes, so a single request waits for one iteration only. Requests that arrive while a batch is being
predicted form the next batch. A fast model is called in the event loop, because passing the call to a thread would take
longer than the prediction. A slow model is called in a thread, so that the loop can handle pings and bodies meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from sagemaker_contract.formats.records import Records
    from sagemaker_contract.serving.telemetry import Telemetry

_log = logging.getLogger("serve")
MOST_RECORDS = 1024
MOST_WAITING = 2000
MOST_WAITING_BYTES = 64 * 1024 * 1024
# More records are predicted in parts, so that what predict needs for each of them does not add up.
MOST_RECORDS_PER_CALL = 64 * 1024
_INLINE_SECONDS = 0.002
_INLINE_RECORDS = 256
_LOOK_SECONDS = 0.25


@dataclass(slots=True)
class Prediction:
    """One prediction per record, and the custom attributes that ``predict`` set."""

    answers: list[Any]
    attributes: str = ""


@dataclass(slots=True, eq=False)
class _Waiting:
    records: Records
    attributes: str
    deadline: float
    answer: asyncio.Future[Prediction] = field(repr=False)


class Batcher:
    """Collects the requests for one model; belongs to one event loop."""

    def __init__(
        self,
        predict: Callable[[Records, str], Prediction],
        thread: Executor,
        telemetry: Telemetry,
        timeout_seconds: float,
    ) -> None:
        self._predict = predict
        self._thread = thread
        self._telemetry = telemetry
        self._timeout = timeout_seconds
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._running: list[_Waiting] = []
        self._scheduled = False
        self._collected = 0
        self._collected_since = 0.0
        self._looking = False
        # A model counts as slow until a call has been measured.
        self._pace = 1.0
        self.busy_since: float | None = None

    def learn(self, seconds: float) -> None:
        """Use the time of a call for the choice between event loop and thread."""
        self._pace = seconds if self._pace == 1.0 else 0.8 * self._pace + 0.2 * seconds

    def submit(self, records: Records, attributes: str) -> asyncio.Future[Prediction]:
        """Queue the records of one request.

        Raises:
            RequestError: 503, if too many requests are waiting.
        """
        size = self._waiting_bytes + records.nbytes
        if self._waiting and (len(self._waiting) >= MOST_WAITING or size > MOST_WAITING_BYTES):
            raise RequestError(503, "too many requests are waiting; try again")
        self._waiting_bytes = size
        loop = asyncio.get_running_loop()
        waiting = _Waiting(records, attributes, loop.time() + self._timeout, loop.create_future())
        self._waiting.append(waiting)
        if not self._scheduled and not self._running:
            self._scheduled = True
            loop.call_soon(self._next)
        return waiting.answer

    def _next(self) -> None:
        loop = asyncio.get_running_loop()
        # Not the loop's own clock, whose resolution is milliseconds.
        if self._still_collects(time.perf_counter()):
            loop.call_soon(self._next)
            return
        self._scheduled = False
        batch = self._take()
        if not batch:
            return
        records = sum(len(waiting.records) for waiting in batch)
        if self._pace < _INLINE_SECONDS and records <= _INLINE_RECORDS:
            self._predict_batch(batch)
            self._after()
            return
        self._running = batch
        self.busy_since = loop.time()
        if not self._looking:
            self._looking = True
            loop.call_later(_LOOK_SECONDS, self._look)
        done = loop.run_in_executor(self._thread, self._outcomes, batch)
        done.add_done_callback(self._on_done)

    def _still_collects(self, now: float) -> bool:
        """Whether the last iteration of the loop brought more requests, and there is time for another iteration."""
        waiting, collected = len(self._waiting), self._collected
        if not collected:
            self._collected_since = now
        collects = collected < waiting < MOST_RECORDS and now - self._collected_since < self._pace
        self._collected = waiting if collects else 0
        return collects

    def _after(self) -> None:
        if self._waiting:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next)

    def _take(self) -> list[_Waiting]:
        """Take the oldest waiting requests with equal attributes, as many as fit; skip those already failed."""
        batch: list[_Waiting] = []
        records, attributes, columns = 0, "", 0
        while self._waiting:
            first = self._waiting[0]
            if first.answer.done():
                self._waiting_bytes -= self._waiting.popleft().records.nbytes
                continue
            rows, width = first.records.shape
            records += rows
            if not batch:
                attributes, columns = first.attributes, width
            elif records > MOST_RECORDS or width != columns or first.attributes != attributes:
                break
            self._waiting_bytes -= first.records.nbytes
            batch.append(self._waiting.popleft())
        return batch

    def _predict_batch(self, batch: list[_Waiting]) -> None:
        for waiting, outcome in zip(batch, self._outcomes(batch), strict=True):
            _settle(waiting, outcome)

    def _on_done(self, done: asyncio.Future[list[Prediction | Exception]]) -> None:
        batch, self._running = self._running, []
        self.busy_since = None
        if done.cancelled() or done.exception():
            outcomes: Sequence[Prediction | Exception] = [RequestError(503, "the server is shutting down")] * len(batch)
        else:
            outcomes = done.result()
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _settle(waiting, outcome)
        self._after()

    def _outcomes(self, batch: list[_Waiting]) -> list[Prediction | Exception]:
        """Predict all requests in one call; if that fails, one by one, so that one bad request fails alone."""
        try:
            if len(batch) == 1:
                few = len(batch[0].records) <= MOST_RECORDS_PER_CALL
                call = self._call if few else self._call_in_parts
                return [call(batch[0].records, batch[0].attributes)]
            together = self._call(np.concatenate([waiting.records for waiting in batch]), batch[0].attributes)
        except Exception as error:
            if len(batch) == 1:
                return [error]
            return [outcome for waiting in batch for outcome in self._outcomes([waiting])]
        outcomes: list[Prediction | Exception] = []
        answers, start = together.answers, 0
        for waiting in batch:
            end = start + len(waiting.records)
            outcomes.append(Prediction(answers[start:end], together.attributes))
            start = end
        return outcomes

    def _call_in_parts(self, records: Records, attributes: str) -> Prediction:
        starts = range(0, len(records), MOST_RECORDS_PER_CALL)
        parts = [self._call(records[start : start + MOST_RECORDS_PER_CALL], attributes) for start in starts]
        return Prediction([answer for part in parts for answer in part.answers], parts[-1].attributes)

    def _call(self, records: Records, attributes: str) -> Prediction:
        started = time.perf_counter()
        prediction = self._predict(records, attributes)
        self.learn(time.perf_counter() - started)
        self._telemetry.predicted(len(records))
        if len(prediction.answers) != len(records):
            raise ValueError(f"predict returned {len(prediction.answers)} predictions for {len(records)} records")
        return prediction

    def _look(self) -> None:
        """While a thread predicts, respond with 503 to requests whose time limit is over."""
        self._looking = bool(self._running)
        if not self._looking:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        for waiting in (*self._running, *self._waiting):
            if waiting.deadline <= now and not waiting.answer.done():
                _log.warning("no prediction within %g seconds", self._timeout)
                _fail(waiting, RequestError(503, f"no prediction within {self._timeout:g} seconds"))
        loop.call_later(_LOOK_SECONDS, self._look)


def _settle(waiting: _Waiting, outcome: Prediction | Exception) -> None:
    if isinstance(outcome, Exception):
        _fail(waiting, outcome)
    elif not waiting.answer.done():
        waiting.answer.set_result(outcome)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
