"""Reading a request's body, of which never more than the limit is kept."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from sagemaker_contract.serving.messages import Headers

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]

_BODY_SECONDS = 60
# A client that is still sending sees a reset connection, not the 413, unless its body is read on.
_DISCARDED_BODIES = 10
_DISCARDING_SECONDS = 10


class Disconnected(Exception):
    """The client went away before its request was complete."""


class TooLargeError(RequestError):
    """A body over the limit; it is answered at once, while the client may still be sending."""

    def __init__(self, maximum: int) -> None:
        super().__init__(413, f"the body is larger than {maximum} bytes")


async def read_body(receive: Receive, headers: Headers, maximum: int) -> bytes:
    """The whole body.

    Raises:
        TooLargeError: As soon as the body is known to be over ``maximum`` bytes.
        RequestError: 408, when it does not come in time.
        Disconnected: When the client goes away.
    """
    if headers.content_length > maximum:
        raise TooLargeError(maximum)
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        whole: bytes = message["body"]
        if len(whole) > maximum:
            raise TooLargeError(maximum)
        return whole
    chunks = [_chunk(message)]
    size = len(chunks[0])
    deadline = time.monotonic() + _BODY_SECONDS
    while message.get("more_body"):
        message = await _in_time(receive, deadline)
        chunks.append(_chunk(message))
        size += len(chunks[-1])
        if size > maximum:
            raise TooLargeError(maximum)
    return b"".join(chunks)


async def discard_body(receive: Receive, headers: Headers, maximum: int) -> None:
    """Read on, and forget, what a client still sends; not without end."""
    if headers.waits_to_send or headers.content_length > _DISCARDED_BODIES * maximum:
        return
    size = 0
    deadline = time.monotonic() + _DISCARDING_SECONDS
    try:
        while size <= _DISCARDED_BODIES * maximum:
            message = await _in_time(receive, deadline)
            size += len(_chunk(message))
            if not message.get("more_body"):
                return
    except (Disconnected, RequestError):
        return


async def _in_time(receive: Receive, deadline: float) -> Message:
    try:
        return await asyncio.wait_for(receive(), max(0.01, deadline - time.monotonic()))
    except asyncio.TimeoutError:
        raise RequestError(408, f"the body did not come within {_BODY_SECONDS} seconds") from None


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise Disconnected
    chunk: bytes = message.get("body", b"")
    return chunk
