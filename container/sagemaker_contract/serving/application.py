"""The HTTP routes: a plain ASGI application."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from typing import TYPE_CHECKING

from sagemaker_contract.errors import RequestError, is_refused_by_system
from sagemaker_contract.serving.bodies import Client, decompressed, discard_body
from sagemaker_contract.serving.budget import SMALL_BYTES, Budget, Gate
from sagemaker_contract.serving.messages import Answer, DisconnectedError, Headers, RefusedBodyError
from sagemaker_contract.serving.refusals import UnreadBodies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from sagemaker_contract.serving.bodies import Message, Receive, Send
    from sagemaker_contract.serving.models import ServedModel
    from sagemaker_contract.serving.multi_model import MultiModel
    from sagemaker_contract.serving.settings import Settings
    from sagemaker_contract.serving.telemetry import Telemetry

_log = logging.getLogger("serve")
_METHODS = {
    "/ping": ("GET", "HEAD"),
    "/invocations": ("POST",),
    "/execution-parameters": ("GET",),
    "/metrics": ("GET",),
}
_CLOSE = (b"connection", b"close")


class Application:
    """Handles the requests of one worker; until ``model`` is loaded and set, invocations get 503."""

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        bodies: Executor,
        models: MultiModel | None = None,
        *,
        hands_over: bool = False,
    ) -> None:
        """``bodies`` is the thread for long work on bodies. ``models`` replaces ``model`` in a multi-model endpoint.

        With ``hands_over`` the server is not shutting down when this worker drains: other workers continue.
        """
        self.model: ServedModel | None = None
        self.draining = False
        self.in_flight = 0
        self.last_request = 0.0
        self._settings = settings
        self._telemetry = telemetry
        self._bodies = bodies
        self._models = models
        self._hands_over = hands_over
        self._maximum = settings.maximum_body_bytes
        self._sample = settings.access_log_sample
        self.budget = Budget(self._maximum)
        self.gate = Gate(self._maximum)
        self.unread = UnreadBodies(self.budget, telemetry, self._send)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        started = self.last_request = time.perf_counter()
        client = Client(Headers(dict(scope["headers"])), receive, send)
        self.in_flight += 1
        self._telemetry.waiting(self.in_flight)
        try:
            answer = await self._answer(scope, client)
            if answer.refuses_body:
                self._hold(client, 0)
                await self._send(client, answer, before_close=self._discard)
            else:
                await self._send(client, answer)
        except (DisconnectedError, asyncio.CancelledError):
            # The latter while a response is sent: the worker ends.
            return
        finally:
            self.budget.held -= client.held
            self.in_flight -= 1
            self._telemetry.waiting(self.in_flight)
        self._note(scope, client.headers, answer, time.perf_counter() - started)

    async def without_room(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle a request of a connection that is one too many."""
        if scope["path"] == "/ping":
            return await self(scope, receive, send)
        error = RequestError(503, "too many connections; try again")
        self._telemetry.answered(error.status, 0.0)
        await self._send(Client(Headers({}), receive, send), Answer.of_error(error), closes=True)

    @property
    def busy_since(self) -> float | None:
        """When the longest call of a model began, of those that still run."""
        return min((since for model in self._loaded() if (since := model.busy_since)), default=None)

    def _loaded(self) -> list[ServedModel]:
        if self._models is not None:
            return self._models.loaded()
        return [] if self.model is None else [self.model]

    async def _answer(self, scope: Message, client: Client) -> Answer:
        """Return the response, also if the request is invalid or the model fails."""
        try:
            if scope["path"] != "/invocations" or scope["method"] != "POST":
                return await self._route(scope["method"], scope["path"], client)
            if self.model is None:
                raise RequestError(503, "the model is still loading")
            body = await self.unread.read(client)
            if _is_large(body, client.headers):
                return await self._through_gate(body, client, self.model.answer)
            return await self.model.answer(body, client.headers)
        except RequestError as error:
            answer = Answer.of_error(error)
            if error.status == 405:
                answer.headers = ((b"allow", ", ".join(_METHODS[scope["path"]]).encode()),)
            answer.refuses_body = isinstance(error, RefusedBodyError)
            return answer
        except DisconnectedError:
            raise
        except asyncio.CancelledError:
            return Answer.of_error(RequestError(503, "the worker ended before the response; try again"))
        except Exception as error:
            _log.exception("the request failed", extra={"fields": client.headers.who()})
            if is_refused_by_system(error):
                return Answer.of_error(RequestError(503, "the server has no resources for this request; try again"))
            return Answer.of_json({"error": "the model failed for this request; see the server's log"}, 500)

    async def _through_gate(
        self, body: bytes, client: Client, answer: Callable[[bytes, Headers], Awaitable[Answer]]
    ) -> Answer:
        """Pass a large body to a model when there is room for it decoded."""
        headers = client.headers
        size = self._maximum if headers.is_compressed else len(body)
        async with self.gate.inside(size, client.receive, self._settings.timeout_seconds):
            if headers.content_encoding:
                unpack = asyncio.get_running_loop().run_in_executor
                body = await unpack(self._bodies, decompressed, body, headers.content_encoding, self._maximum)
            return await answer(body, headers)

    async def _route(self, method: str, path: str, client: Client) -> Answer:
        if self._models is not None and (path == "/models" or path.startswith("/models/")):
            answer = functools.partial(self._models.answer, method, path)
            body = await self.unread.read(client)
            large = _is_large(body, client.headers)
            return await (self._through_gate(body, client, answer) if large else answer(body, client.headers))
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

    def _hold(self, client: Client, size: int) -> None:
        """Count a response, or nothing, instead of the body, which is not needed any more."""
        self.budget.held += size - client.held
        client.held = size

    async def _discard(self, client: Client) -> None:
        await discard_body(client, self._maximum)

    async def _send(
        self,
        client: Client,
        answer: Answer,
        *,
        closes: bool = False,
        before_close: Callable[[Client], Awaitable[None]] | None = None,
    ) -> None:
        """Send the response; ``before_close`` runs after it, while the connection is still open."""
        headers = [(b"content-length", b"%d" % len(answer.body)), *answer.headers]
        if answer.content_type is not None:
            headers.append((b"content-type", answer.content_type))
        if closes or before_close or self.draining:
            headers.append(_CLOSE)
        send = client.send
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if before_close:
            await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            await before_close(client)
            await send({"type": "http.response.body"})
        elif len(answer.body) > SMALL_BYTES:
            # The second part is sent when the client has read the first; until then, the response counts.
            self._hold(client, len(answer.body))
            await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            await send({"type": "http.response.body"})
        else:
            await send({"type": "http.response.body", "body": answer.body})

    def _note(self, scope: Message, headers: Headers, answer: Answer, seconds: float) -> None:
        path: str = scope["path"]
        if path.endswith(("/invocations", "/invoke")):
            self._telemetry.answered(answer.status, seconds)
        if self._sample and random.random() < self._sample:
            exchange = {"method": scope["method"], "path": path, "status": answer.status}
            sizes = {"bytes_in": headers.content_length, "bytes_out": len(answer.body)}
            fields = {**exchange, "milliseconds": round(seconds * 1000, 3), **sizes, **headers.who()}
            _log.info("access", extra={"fields": fields})


def _is_large(body: bytes, headers: Headers) -> bool:
    return len(body) > SMALL_BYTES or headers.is_compressed
