"""Read the body of a request; never keep more of it than the limit."""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.serving.budget import SMALL_BYTES
from sagemaker_contract.serving.messages import DisconnectedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from sagemaker_contract.serving.budget import Budget
    from sagemaker_contract.serving.messages import Headers

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

# A client that is still sending gets a connection reset instead of the response, unless the server reads the rest.
_DISCARDED_BODIES = 10
_DISCARDING_SECONDS = 10


@dataclass(slots=True, eq=False)
class Client:
    """One request of a client: its headers, the two directions of the connection, and the bytes that it holds."""

    headers: Headers
    receive: Receive
    send: Send
    held: int = 0


async def read_body(client: Client, budget: Budget) -> bytes:
    """Return the whole body; what has arrived is counted as held by the client.

    Raises:
        RefusedBodyError: As soon as the body is known to be too large, or there is no room for it.
        DisconnectedError: If the client disconnects.
    """
    declared = client.headers.content_length
    if declared > SMALL_BYTES:
        budget.expect(declared)
    message = await client.receive()
    body = _part(message)
    _count(len(body), client, budget)
    if not message.get("more_body"):
        return body
    chunks = [body]
    while message.get("more_body"):
        message = await client.receive()
        chunks.append(_part(message))
        _count(len(chunks[-1]), client, budget)
    return b"".join(chunks)


def decompressed(body: bytes, encoding: str, maximum: int) -> bytes:
    """Return a body without its Content-Encoding.

    Raises:
        RequestError: 415 for an encoding other than gzip, 413 if the body would be too large, 400 if it is invalid.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise RequestError(415, f"cannot read Content-Encoding {encoding}; send gzip, or none")
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(body)).read(maximum + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the body is not gzip: {error}") from None
    if len(content) > maximum:
        raise RequestError(413, f"the body is larger than {maximum} bytes after decompression")
    return content


async def discard_body(client: Client, maximum: int) -> None:
    """Read and discard the rest of a body, up to limits in size and time, or until the task is cancelled."""
    if client.headers.waits_to_send or client.headers.content_length > _DISCARDED_BODIES * maximum:
        return
    try:
        await asyncio.wait_for(_discard(client.receive, _DISCARDED_BODIES * maximum), _DISCARDING_SECONDS)
    except (DisconnectedError, asyncio.TimeoutError, asyncio.CancelledError):
        return


async def _discard(receive: Receive, most: int) -> None:
    size = 0
    while size <= most:
        message = await receive()
        size += len(_part(message))
        if not message.get("more_body"):
            return


def _count(size: int, client: Client, budget: Budget) -> None:
    total = client.held + size
    # The first condition is true for most requests, and spares a call.
    if total > SMALL_BYTES or budget.held + size > budget.most:
        budget.expect(total, client.held)
    client.held = total
    budget.held += size


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise DisconnectedError
    part: bytes = message.get("body", b"")
    return part
