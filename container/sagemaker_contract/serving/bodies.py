"""Read the body of a request; never keep more of it than the limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from sagemaker_contract.serving.messages import Headers

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]

# A client that is still sending gets a connection reset instead of the 413, unless the server reads the rest.
_DISCARDED_BODIES = 10
_DISCARDING_SECONDS = 10


class DisconnectedError(Exception):
    """The client disconnected before its request was complete."""


class TooLargeError(RequestError):
    """A body over the limit; the response is sent at once, while the client may still be sending."""

    def __init__(self, maximum: int) -> None:
        super().__init__(413, f"the body is larger than {maximum} bytes")


async def read_body(receive: Receive, headers: Headers, maximum: int) -> bytes:
    """Return the whole body.

    Raises:
        TooLargeError: As soon as the body is known to be over ``maximum`` bytes.
        DisconnectedError: If the client disconnects.
    """
    if headers.content_length > maximum:
        raise TooLargeError(maximum)
    message = await receive()
    body = _chunk(message)
    size = len(body)
    chunks = [body]
    while size <= maximum and message.get("more_body"):
        message = await receive()
        chunks.append(_chunk(message))
        size += len(chunks[-1])
    if size > maximum:
        raise TooLargeError(maximum)
    return body if len(chunks) == 1 else b"".join(chunks)


async def discard_body(receive: Receive, headers: Headers, maximum: int) -> None:
    """Read and discard the rest of a body, up to limits in size and time."""
    if headers.waits_to_send or headers.content_length > _DISCARDED_BODIES * maximum:
        return
    try:
        await asyncio.wait_for(_discard(receive, _DISCARDED_BODIES * maximum), _DISCARDING_SECONDS)
    except (DisconnectedError, asyncio.TimeoutError):
        return


async def _discard(receive: Receive, most: int) -> None:
    size = 0
    while size <= most:
        message = await receive()
        size += len(_chunk(message))
        if not message.get("more_body"):
            return


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise DisconnectedError
    chunk: bytes = message.get("body", b"")
    return chunk
