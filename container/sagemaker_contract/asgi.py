"""The HTTP face: GET /ping and POST /invocations, as a plain ASGI application."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from sagemaker_contract.invocations import Answer, InvocationHandler

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("serve")
_METHODS = {"/ping": ("GET", "HEAD"), "/invocations": ("POST",)}
# A client that is still sending sees a reset connection, not the 413, unless its body is read to the end.
_DISCARDED_BODIES = 10


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Application:
    """The ASGI application; ``handler`` is set once the model is loaded, until then it answers 503."""

    def __init__(self, maximum_body_bytes: int) -> None:
        self.handler: InvocationHandler | None = None
        self._maximum_body_bytes = maximum_body_bytes
        # One thread: a slow prediction must not hold up /ping, and a model need not be safe for several.
        self._predictions = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            answer = await self._answer(scope["method"], scope["path"], headers, receive)
        except Disconnected:
            return
        except RequestError as error:
            await _send_error(send, error.status, str(error), _METHODS.get(scope["path"], ()))
        except Exception:
            _log.exception("the request failed")
            await _send_error(send, 500, "the model failed on this request; see the server's log")
        else:
            await _send(send, 200, answer.content_type if answer else None, answer.body if answer else b"")

    async def _answer(self, method: str, path: str, headers: dict[str, str], receive: Receive) -> Answer | None:
        """The answer to a good request; ``None`` is an empty 200."""
        if path not in _METHODS:
            raise RequestError(404, f"there is no {path}; there are GET /ping and POST /invocations")
        if method not in _METHODS[path]:
            raise RequestError(405, f"{path} takes {' or '.join(_METHODS[path])}, not {method}")
        if self.handler is None:
            raise RequestError(503, "the model is still loading")
        if path == "/ping":
            return None
        body = await _read_body(receive, headers, self._maximum_body_bytes)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._predictions, self.handler, body, headers.get("content-type"), headers.get("accept")
        )


async def _read_body(receive: Receive, headers: dict[str, str], maximum: int) -> bytes:
    """The whole body, of which never more than ``maximum`` bytes are kept."""
    too_large = RequestError(413, f"the body is larger than {maximum} bytes")
    declared = int(headers.get("content-length", "0"))
    if declared > maximum and ("expect" in headers or declared > _DISCARDED_BODIES * maximum):
        raise too_large
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= _DISCARDED_BODIES * maximum:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= maximum:
            chunks.append(chunk)
        else:
            chunks.clear()
        more = message.get("more_body", False)
    if size > maximum:
        raise too_large
    return b"".join(chunks)


async def _send_error(send: Send, status: int, reason: str, allowed: tuple[str, ...] = ()) -> None:
    extra = []
    if status == 405:
        extra.append((b"allow", ", ".join(allowed).encode()))
    if status == 413:
        extra.append((b"connection", b"close"))
    await _send(send, status, "application/json", json.dumps({"error": reason}).encode(), extra)


async def _send(
    send: Send,
    status: int,
    content_type: str | None,
    body: bytes,
    extra: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    headers = [(b"content-length", str(len(body)).encode()), *extra]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
