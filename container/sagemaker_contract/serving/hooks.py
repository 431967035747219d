"""A model that is served by the functions of sagemaker-inference: ``model_fn``, ``predict_fn`` and the others.

If ``algorithm.py`` (or the file in SAGEMAKER_PROGRAM) has any of them, ``serve`` calls these functions. Missing ones
have the defaults below. Requests are predicted one at a time, because the type of their data is unknown.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from sagemaker_contract.attributes import AttributesScope
from sagemaker_contract.errors import ContractError, InputError, ModelError, RequestError
from sagemaker_contract.formats import DECODERS, ENCODERS
from sagemaker_contract.formats.json_text import JSON_ENCODER, plain
from sagemaker_contract.formats.media_types import CSV, JSON, TEXT_TYPES
from sagemaker_contract.formats.negotiation import answer_type, charset, content_type, to_utf8
from sagemaker_contract.serving.hook_context import Context
from sagemaker_contract.serving.hook_functions import Caller, find_hooks
from sagemaker_contract.serving.messages import Answer

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path
    from types import ModuleType

    from sagemaker_contract.serving.hook_context import RequestProcessor
    from sagemaker_contract.serving.messages import Headers
    from sagemaker_contract.serving.settings import Settings

# Bodies of exactly these types are passed as str, all others as bytes: as in the toolkit.
_STR_TYPES = (CSV, JSON)


class HookModel:
    """A model served by the functions."""

    def __init__(self, module: ModuleType, directory: Path, settings: Settings, thread: Executor) -> None:
        self._module = module
        self._call = Caller(find_hooks(module))
        self._context = Context(str(directory))
        self._thread = thread
        self._timeout = settings.timeout_seconds
        self._default_accept = settings.default_accept or JSON
        self._limits = settings.limits(columns=None)
        self._model = self._load(directory)
        self.busy_since: float | None = None

    def complete(self) -> None:
        """Do nothing: the model is already loaded."""

    async def answer(self, body: bytes, headers: Headers) -> Answer:
        """Call the functions in the prediction thread.

        Raises:
            RequestError: If the request is invalid, or the prediction takes too long.
        """
        answer = asyncio.get_running_loop().run_in_executor(self._thread, self._transform, body, headers)
        try:
            return await asyncio.wait_for(answer, self._timeout)
        except asyncio.TimeoutError:
            raise RequestError(503, f"no prediction within {self._timeout:g} seconds") from None

    def _load(self, directory: Path) -> Any:
        if "pre_model_fn" in self._call:
            self._call("pre_model_fn", self._context, str(directory))
        if "model_fn" in self._call:
            model = self._call("model_fn", self._context, str(directory))
        elif hasattr(self._module, "load"):
            model = self._module.load(directory)
        else:
            raise ModelError("model_fn (or load) is missing: there is no function that loads the model")
        predicts = "predict_fn" in self._call or "transform_fn" in self._call or hasattr(self._module, "predict")
        if not predicts and not callable(getattr(model, "predict", None)):
            raise ModelError(f"predict_fn is missing, and the model ({type(model).__name__}) has no method predict")
        if "model_warmup_fn" in self._call:
            self._call("model_warmup_fn", self._context, str(directory), model)
        return model

    def _transform(self, body: bytes, headers: Headers) -> Answer:
        self.busy_since = time.monotonic()
        try:
            with AttributesScope(headers.attributes) as scope:
                request_id = headers.text(b"x-amzn-sagemaker-inference-id") or str(uuid.uuid4())
                processor = self._context.begin(request_id, headers.by_name())
                return _with_processor(self._answered(body, headers), processor).with_attributes(scope.answer)
        except Exception as error:
            refused = _of_toolkit(error)
            if refused is None:
                raise
            raise refused from error
        finally:
            self.busy_since = None

    def _answered(self, body: bytes, headers: Headers) -> Answer:
        given = headers.text(b"content-type") or None
        accept = headers.text(b"accept").strip()
        if not accept.isascii() or not accept.isprintable():
            raise InputError("the header Accept is not ASCII text")
        wanted = self._default_accept if accept in ("", "*/*") else accept
        if "transform_fn" in self._call:
            data = _decoded(body, given)
            return _answer(self._call("transform_fn", self._context, self._model, data, given, wanted), wanted)
        prediction = self._predict(self._input(body, given))
        if "output_fn" in self._call:
            return _answer(self._call("output_fn", self._context, prediction, wanted), wanted)
        kind = answer_type(wanted, ENCODERS, self._default_accept)
        return Answer(self._encoded(prediction, kind), kind.encode())

    def _input(self, body: bytes, given: str | None) -> Any:
        if "input_fn" not in self._call:
            kind = content_type(given, DECODERS)
            name = charset(given) if kind in TEXT_TYPES else None
            records = DECODERS[kind](to_utf8(body, name) if name else body, self._limits)
            self._limits.check(*records.shape)
            return records
        try:
            return self._call("input_fn", self._context, _decoded(body, given), given)
        except ContractError:
            raise
        except ValueError as error:
            raise InputError(f"the body cannot be read: {error}") from error

    def _predict(self, data: Any) -> Any:
        if "predict_fn" in self._call:
            return self._call("predict_fn", self._context, data, self._model)
        if hasattr(self._module, "predict"):
            return self._module.predict(self._model, data)
        return self._model.predict(data)

    def _encoded(self, prediction: Any, kind: str) -> bytes:
        if kind == JSON and "predict_fn" in self._call:
            # The toolkit writes what predict_fn returns, without a member around it.
            return JSON_ENCODER.encode(prediction).encode()
        return ENCODERS[kind](plain(prediction))


def _decoded(body: bytes, given: str | None) -> bytes | str:
    if given not in _STR_TYPES:
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not UTF-8 text (byte {error.start})") from None


def _answer(result: Any, wanted: str) -> Answer:
    """The response for the result of a function: a body, or a tuple of body and content type."""
    content, kind = (result[0], result[1]) if isinstance(result, tuple) else (result, wanted)
    if isinstance(content, str):
        body = content.encode()
    elif isinstance(content, bytes | bytearray | memoryview):
        body = bytes(content)
    else:
        body = json.dumps(content, default=JSON_ENCODER.default).encode()
    return Answer(body, _header(kind))


def _with_processor(answer: Answer, processor: RequestProcessor) -> Answer:
    """Set the status and the headers that the functions set in the context."""
    answer.status = processor.get_response_status_code()
    if not isinstance(answer.status, int) or not 200 <= answer.status < 600:
        raise ValueError(f"the status of a response must be from 200 to 599, got {answer.status!r}")
    answer.headers = tuple(
        (_header(name.lower()), _header(value))
        for name, value in processor.get_response_headers().items()
        if name.lower() not in ("content-type", "content-length", "connection", "transfer-encoding")
    )
    return answer


def _of_toolkit(error: Exception) -> RequestError | None:
    """The status and the message of the toolkit's own exceptions, which an algorithm may raise."""
    status, message = getattr(error, "status_code", None), getattr(error, "message", None)
    if isinstance(status, int) and 400 <= status < 600 and isinstance(message, str) and hasattr(error, "phrase"):
        return RequestError(status, message)
    return None


def _header(text: Any) -> bytes:
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise ValueError(f"a response header must be ASCII text, got {text!r}")
    return text.encode()
