"""One loaded model: request body in, response out. Handles the media types, independent of the HTTP server."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sagemaker_contract.acceleration.stored import (
    AlteredModelError,
    NotUsableError,
    is_of_this_algorithm,
    read_accelerated,
    read_sample,
)
from sagemaker_contract.errors import ModelError, RequestError
from sagemaker_contract.formats import DECODERS, ENCODERS
from sagemaker_contract.formats.frame_bodies import frame_decoders
from sagemaker_contract.formats.media_types import PARQUET, TEXT_TYPES
from sagemaker_contract.formats.negotiation import answer_type, charset, content_type, to_utf8
from sagemaker_contract.frames import read_fields
from sagemaker_contract.interface import has_hooks, load_serving_module
from sagemaker_contract.serving.batching import Batcher
from sagemaker_contract.serving.hook_functions import check_module
from sagemaker_contract.serving.hooks import HookModel
from sagemaker_contract.serving.messages import Answer
from sagemaker_contract.serving.predictor import FramePredictor, Predictor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from sagemaker_contract.acceleration.stored import Accelerated
    from sagemaker_contract.formats import Decoder, Encoder
    from sagemaker_contract.formats.records import Records
    from sagemaker_contract.frames import Frame
    from sagemaker_contract.serving.messages import Headers
    from sagemaker_contract.serving.settings import Settings
    from sagemaker_contract.serving.telemetry import Telemetry

_log = logging.getLogger("serve")
# Decoding or encoding more than this takes longer than passing it to a thread.
_LARGE_BODY_BYTES = 32 * 1024
_LARGE_ANSWERS = 2000
_MANY_RECORDS = 1000
_SLOW_SECONDS = 0.1


class ServedModel(Protocol):
    """The interface of a model that the application uses."""

    def complete(self) -> None:
        """Load the parts whose loading was deferred until the first requests could be served."""

    async def answer(self, body: bytes, headers: Headers) -> Answer: ...

    @property
    def busy_since(self) -> float | None: ...


@dataclass(frozen=True)
class Threads:
    """A worker's threads for long work: predictions, one call at a time; decoding and encoding large bodies."""

    predictions: Executor
    bodies: Executor


@dataclass(frozen=True)
class _Exchange:
    """How the requests with one pair of headers are decoded, and their responses encoded."""

    decode: Decoder
    encode: Encoder
    charset: str | None
    answer_type: bytes
    in_thread: bool


class TableModel:
    """A model of records: decodes, batches, predicts, encodes."""

    def __init__(
        self,
        predictor: Predictor,
        columns: int | None,
        settings: Settings,
        threads: Threads,
        telemetry: Telemetry,
        decoders: Mapping[str, Decoder] = DECODERS,
    ) -> None:
        """``columns`` is the number of values in a record, or ``None`` if it is unknown."""
        self._predictor = predictor
        self._decoders = decoders
        self.batcher = Batcher(predictor, threads.predictions, telemetry, settings.timeout_seconds)
        self._limits = settings.limits(columns)
        self._bodies = threads.bodies
        self._timeout = settings.timeout_seconds
        self._decoding_since: float | None = None
        self._default_accept = settings.default_accept
        self._exchange = functools.lru_cache(maxsize=256)(self._agree)

    def complete(self) -> None:
        self._predictor.complete()

    async def answer(self, body: bytes, headers: Headers) -> Answer:
        """Decode, predict, encode.

        Raises:
            RequestError: If the request is invalid, with the status and the reason for the response.
        """
        exchange = self._exchange(headers.content_type, headers.accept)
        large = exchange.in_thread or len(body) > _LARGE_BODY_BYTES
        records = await self._in_thread(self._read, body, exchange) if large else self._read(body, exchange)
        prediction = await self.batcher.submit(records, headers.attributes)
        if large or len(prediction.answers) > _LARGE_ANSWERS:
            content = await self._in_thread(exchange.encode, prediction.answers)
        else:
            content = exchange.encode(prediction.answers)
        return Answer(content, exchange.answer_type).with_attributes(prediction.attributes)

    @property
    def busy_since(self) -> float | None:
        return min(filter(None, (self.batcher.busy_since, self._decoding_since)), default=None)

    def _agree(self, content_type_header: bytes | None, accept_header: bytes | None) -> _Exchange:
        """Choose decoder and encoder; cached, because most requests have the same pair of headers."""
        header = None if content_type_header is None else content_type_header.decode("latin-1")
        given = content_type(header, self._decoders)
        preferred = self._default_accept or (given if given in ENCODERS else next(iter(ENCODERS)))
        accept = None if accept_header is None else accept_header.decode("latin-1")
        wanted = answer_type(accept, ENCODERS, preferred)
        text_charset = charset(header) if given in TEXT_TYPES else None
        return _Exchange(self._decoders[given], ENCODERS[wanted], text_charset, wanted.encode(), given == PARQUET)

    def _read(self, body: bytes, exchange: _Exchange) -> Records:
        body = to_utf8(body, exchange.charset) if exchange.charset else body
        records = exchange.decode(body, self._limits)
        rows, columns = records.shape
        # Most requests are far from the limits.
        if rows > _MANY_RECORDS or columns != self._limits.columns:
            self._limits.check(rows, columns)
        return records

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        work = asyncio.get_running_loop().run_in_executor(self._bodies, self._watched, function, *arguments)
        try:
            return await asyncio.wait_for(work, self._timeout)
        except asyncio.TimeoutError:
            raise RequestError(503, f"a body took longer than {self._timeout:g} seconds; try again") from None

    def _watched(self, function: Any, *arguments: Any) -> Any:
        self._decoding_since = time.monotonic()
        try:
            return function(*arguments)
        finally:
            self._decoding_since = None


def load_model(directory: Path, settings: Settings, threads: Threads, telemetry: Telemetry) -> ServedModel:
    """Load the model in ``directory`` and warm it up.

    Raises:
        ContractError: If there is no model, or it cannot be used.
    """
    started = time.monotonic()
    if not directory.is_dir() or not any(directory.iterdir()):
        raise ModelError(f"there is no model in {directory}: the folder is missing or empty")
    hooks = None if answers_without_algorithm(directory, settings) else load_serving_module()
    if hooks is not None:
        check_module(hooks, settings)
    if hooks is not None and has_hooks(hooks):
        model: ServedModel = HookModel(hooks, directory, settings, threads.predictions)
    else:
        model = _table_model(directory, settings, threads, telemetry)
    _log.info("model loaded and warm in %.1f s", time.monotonic() - started)
    return model


def answers_without_algorithm(directory: Path, settings: Settings) -> bool:
    """Whether requests can be served before the algorithm and its libraries are imported."""
    return settings.acceleration and not os.environ.get("SAGEMAKER_PROGRAM") and is_of_this_algorithm(directory)


def _table_model(directory: Path, settings: Settings, threads: Threads, telemetry: Telemetry) -> TableModel:
    frame = read_fields(directory)
    if frame is not None:
        return _frame_model(frame, directory, settings, threads, telemetry)
    predictor = Predictor(directory)
    sample = read_sample(directory)
    predictor.accelerated = _accelerated(directory, sample, predictor, settings, telemetry)
    if predictor.accelerated is None:
        predictor.complete()
    model = TableModel(predictor, None if sample is None else sample.shape[1], settings, threads, telemetry)
    if sample is not None:
        model.batcher.learn(_warm_up(predictor, sample))
    return model


def _frame_model(
    frame: Frame, directory: Path, settings: Settings, threads: Threads, telemetry: Telemetry
) -> TableModel:
    predictor = FramePredictor(directory, frame.fields)
    predictor.complete()
    decoders = frame_decoders(frame.fields)
    model = TableModel(predictor, frame.width, settings, threads, telemetry, decoders)
    model.batcher.learn(_warm_up(predictor, frame.cells))
    return model


def _warm_up(predictor: Predictor, sample: Any) -> float:
    """Predict a few records; return the seconds of the last call, because the first calls take longer."""
    for rows in (1, len(sample), 1, 1):
        began = time.perf_counter()
        predictor(sample[:rows], "")
        seconds = time.perf_counter() - began
        if seconds > _SLOW_SECONDS:
            break
    return seconds


def _accelerated(
    directory: Path, sample: Records | None, predictor: Predictor, settings: Settings, telemetry: Telemetry
) -> Accelerated | None:
    """The ONNX model, if it may be used; the choice is logged."""
    if not settings.acceleration:
        _log.info("predictions come from the algorithm's predict: SERVE_ACCELERATION is off")
        return None
    try:
        accelerated = read_accelerated(directory, sample, predictor.original)
    except AlteredModelError as error:
        telemetry.altered()
        _log.warning("the model is not the one that train wrote, predictions come from its predict: %s", error)
        return None
    except NotUsableError as error:
        _log.info("predictions come from the algorithm's predict: %s", error)
        return None
    _log.info("predictions come from ONNX up to %d records per call, else from predict", accelerated.most_rows)
    return accelerated
