"""The HTTP routes: a plain ASGI application."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import RequestError
from sagemaker_contract.serving.bodies import DisconnectedError, TooLargeError, discard_body, read_body
from sagemaker_contract.serving.messages import Answer, Headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sagemaker_contract.serving.bodies import Message, Receive
    from sagemaker_contract.serving.models import ServedModel
    from sagemaker_contract.serving.multi_model import MultiModel
    from sagemaker_contract.serving.settings import Settings
    from sagemaker_contract.serving.telemetry import Telemetry

    Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("serve")
_METHODS = {
    "/ping": ("GET", "HEAD"),
    "/invocations": ("POST",),
    "/execution-parameters": ("GET",),
    "/metrics": ("GET",),
}
_CLOSE = (b"connection", b"close")
# The total size of all large bodies that are read at once, in maximum body sizes. A single one is always accepted.
_MOST_BODIES = 16
_SMALL_BODY_BYTES = 64 * 1024
_BODY_SECONDS = 60


class Application:
    """Handles the requests of one worker; until ``model`` is loaded and set, invocations get 503."""

    def __init__(
        self, settings: Settings, telemetry: Telemetry, models: MultiModel | None = None, *, hands_over: bool = False
    ) -> None:
        """``models`` replaces ``model`` in a multi-model endpoint.

        With ``hands_over`` the server is not shutting down when this worker drains: other workers continue.
        """
        self.model: ServedModel | None = None
        self.draining = False
        self.in_flight = 0
        self.last_request = 0.0
        self._settings = settings
        self._telemetry = telemetry
        self._models = models
        self._hands_over = hands_over
        self._maximum = settings.maximum_body_bytes
        self._sample = settings.access_log_sample
        self._body_bytes = 0
        self._unread: dict[Send, float] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        started = self.last_request = time.perf_counter()
        headers = Headers(dict(scope["headers"]))
        self.in_flight += 1
        self._telemetry.waiting(self.in_flight)
        try:
            answer = await self._answer(scope, headers, receive, send)
            await self._send(send, answer)
        except DisconnectedError:
            return
        except TooLargeError as error:
            answer = Answer.of_error(error)
            await self._send(send, answer, before_close=lambda: discard_body(receive, headers, self._maximum))
        finally:
            self.in_flight -= 1
            self._telemetry.waiting(self.in_flight)
        self._note(scope, headers, answer, time.perf_counter() - started)

    async def refuse_overdue(self) -> None:
        """Respond with 408 to requests whose body is overdue; must be called regularly."""
        now = time.perf_counter()
        overdue = [send for send, began in self._unread.items() if now - began > _BODY_SECONDS]
        for send in overdue:
            error = RequestError(408, f"the body did not arrive within {_BODY_SECONDS} seconds")
            self._telemetry.answered(error.status, now - self._unread.pop(send))
            await self._send(send, Answer.of_error(error), closes=True)

    def give_up(self, reason: str) -> None:
        """Respond with 503 to all requests that wait for a prediction."""
        for model in self._models.loaded() if self._models else [self.model]:
            if model is not None:
                model.give_up(reason)

    async def _answer(self, scope: Message, headers: Headers, receive: Receive, send: Send) -> Answer:
        """Return the response to a request, also if the request is invalid or the model fails."""
        try:
            if scope["path"] != "/invocations" or scope["method"] != "POST":
                return await self._route(scope["method"], scope["path"], headers, receive, send)
            if self.model is None:
                raise RequestError(503, "the model is still loading")
            return await self.model.answer(await self._body(receive, headers, send), headers)
        except TooLargeError:
            raise
        except RequestError as error:
            answer = Answer.of_error(error)
            if error.status == 405:
                answer.headers = ((b"allow", ", ".join(_METHODS[scope["path"]]).encode()),)
            return answer
        except DisconnectedError:
            raise
        except Exception:
            _log.exception("the request failed", extra={"fields": _who(headers)})
            return Answer.of_json({"error": "the model failed for this request; see the server's log"}, 500)

    async def _route(self, method: str, path: str, headers: Headers, receive: Receive, send: Send) -> Answer:
        if self._models is not None and (path == "/models" or path.startswith("/models/")):
            body = await self._body(receive, headers, send)
            return await self._models.answer(method, path, body, headers)
        if path not in _METHODS:
            raise RequestError(404, f"there is no {path}; the paths are {', '.join(_METHODS)}")
        if method not in _METHODS[path]:
            raise RequestError(405, f"{path} accepts {' or '.join(_METHODS[path])}, not {method}")
        if path == "/ping":
            return self._ping()
        if path == "/metrics":
            text = self._telemetry.board.prometheus()
            return Answer(text.encode(), b"text/plain; version=0.0.4; charset=utf-8")
        return Answer.of_json(
            {
                "MaxConcurrentTransforms": self._settings.workers,
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": self._settings.maximum_body_megabytes,
            }
        )

    def _ping(self) -> Answer:
        if self.draining and not self._hands_over:
            raise RequestError(503, "the server is shutting down")
        if not self._telemetry.board.answers():
            raise RequestError(503, "the model is still loading")
        return Answer()

    async def _body(self, receive: Receive, headers: Headers, send: Send) -> bytes:
        declared = headers.content_length
        large = declared >= _SMALL_BODY_BYTES
        if large:
            if self._body_bytes and self._body_bytes + declared > _MOST_BODIES * self._maximum:
                raise RequestError(503, "too many large requests at once; try again")
            self._body_bytes += declared
        self._unread[send] = time.perf_counter()
        try:
            return await read_body(receive, headers, self._maximum)
        finally:
            self._unread.pop(send, None)
            if large:
                self._body_bytes -= declared

    async def _send(
        self,
        send: Send,
        answer: Answer,
        *,
        closes: bool = False,
        before_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Send the response; ``before_close`` runs after it, while the connection is still open."""
        headers = [(b"content-length", b"%d" % len(answer.body)), *answer.headers]
        if answer.content_type is not None:
            headers.append((b"content-type", answer.content_type))
        if closes or before_close or self.draining:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if before_close:
            await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            await before_close()
            await send({"type": "http.response.body"})
        else:
            await send({"type": "http.response.body", "body": answer.body})

    def _note(self, scope: Message, headers: Headers, answer: Answer, seconds: float) -> None:
        path: str = scope["path"]
        if path.endswith(("/invocations", "/invoke")):
            self._telemetry.answered(answer.status, seconds)
        if self._sample and random.random() < self._sample:
            fields: dict[str, Any] = {
                "method": scope["method"],
                "path": path,
                "status": answer.status,
                "milliseconds": round(seconds * 1000, 3),
                "bytes_in": headers.content_length,
                "bytes_out": len(answer.body),
                **_who(headers),
            }
            _log.info("access", extra={"fields": fields})


def _who(headers: Headers) -> dict[str, str]:
    """The headers by which a caller can find its request in the log."""
    named = {
        "inference_id": headers.text(b"x-amzn-sagemaker-inference-id"),
        "target_model": headers.text(b"x-amzn-sagemaker-target-model"),
    }
    return {name: value for name, value in named.items() if value}
