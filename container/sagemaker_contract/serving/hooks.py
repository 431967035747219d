"""The four functions of sagemaker-inference: ``model_fn``, ``input_fn``, ``predict_fn`` and ``output_fn``.

If ``algorithm.py`` (or the file in SAGEMAKER_PROGRAM) has any of them, ``serve`` calls these functions. Missing ones
have the defaults below. Requests are predicted one at a time, because the type of their data is unknown.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from sagemaker_contract.attributes import AttributesScope
from sagemaker_contract.errors import ContractError, InputError, ModelError, RequestError
from sagemaker_contract.formats import DECODERS, ENCODERS
from sagemaker_contract.formats.media_types import JSON
from sagemaker_contract.formats.negotiation import answer_type, content_type
from sagemaker_contract.serving.messages import Answer

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path
    from types import ModuleType

    from sagemaker_contract.serving.messages import Headers
    from sagemaker_contract.serving.settings import Settings

_log = logging.getLogger("serve")


class HookModel:
    """A model served by the four functions."""

    def __init__(self, module: ModuleType, directory: Path, settings: Settings, thread: Executor) -> None:
        self._module = module
        self._thread = thread
        self._timeout = settings.timeout_seconds
        self._default_accept = settings.default_accept or JSON
        self._model = self._load(directory)
        self.busy_since: float | None = None
        self._waiting: set[asyncio.Future[Answer]] = set()

    def complete(self) -> None:
        """Do nothing: the model is already loaded."""

    async def answer(self, body: bytes, headers: Headers) -> Answer:
        """Call the functions in the prediction thread.

        Raises:
            RequestError: If the request is invalid, or the prediction takes too long.
        """
        answer = asyncio.get_running_loop().run_in_executor(self._thread, self._transform, body, headers)
        waiting = asyncio.ensure_future(answer)
        self._waiting.add(waiting)
        try:
            return await asyncio.wait_for(waiting, self._timeout)
        except asyncio.TimeoutError:
            raise RequestError(503, f"no prediction within {self._timeout:g} seconds") from None
        except asyncio.CancelledError:
            if waiting.cancelled():
                raise RequestError(503, "the server is shutting down") from None
            raise
        finally:
            self._waiting.discard(waiting)

    def give_up(self, reason: str) -> None:
        """Respond with 503 to all waiting requests."""
        _log.warning("%d requests get 503: %s", len(self._waiting), reason)
        for waiting in tuple(self._waiting):
            waiting.cancel()

    def _load(self, directory: Path) -> Any:
        if hasattr(self._module, "model_fn"):
            return self._module.model_fn(str(directory))
        if hasattr(self._module, "load"):
            return self._module.load(directory)
        raise ModelError("model_fn (or load) is missing: there is no function that loads the model")

    def _transform(self, body: bytes, headers: Headers) -> Answer:
        self.busy_since = time.monotonic()
        try:
            with AttributesScope(headers.attributes) as scope:
                given = (headers.content_type or b"").decode("latin-1")
                prediction = self._predict(self._input(body, given))
                return self._output(prediction, headers).with_attributes(scope.answer)
        finally:
            self.busy_since = None

    def _input(self, body: bytes, given: str) -> Any:
        if not hasattr(self._module, "input_fn"):
            return DECODERS[content_type(given, DECODERS)](body)
        try:
            return self._module.input_fn(body, given)
        except ContractError:
            raise
        except ValueError as error:
            raise InputError(f"the body cannot be read: {error}") from error

    def _predict(self, data: Any) -> Any:
        if hasattr(self._module, "predict_fn"):
            return self._module.predict_fn(data, self._model)
        if hasattr(self._module, "predict"):
            return self._module.predict(self._model, data)
        return self._model.predict(data)

    def _output(self, prediction: Any, headers: Headers) -> Answer:
        accept = headers.text(b"accept")
        if not hasattr(self._module, "output_fn"):
            wanted = answer_type(accept, ENCODERS, self._default_accept)
            answers = prediction.tolist() if hasattr(prediction, "tolist") else prediction
            return Answer(ENCODERS[wanted](answers), wanted.encode())
        wanted = accept if accept and accept != "*/*" else self._default_accept
        output = self._module.output_fn(prediction, wanted)
        content, kind = output if isinstance(output, tuple) else (output, wanted)
        return Answer(content.encode() if isinstance(content, str) else bytes(content), kind.encode())
