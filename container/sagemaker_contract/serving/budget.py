"""What the bodies and responses of one worker may take together."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import RequestError
from sagemaker_contract.serving.messages import DisconnectedError, RefusedBodyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sagemaker_contract.serving.bodies import Receive

# Small requests are served as long as possible, also while large ones get 503.
SMALL_BYTES = 64 * 1024
# These always have room: what they take is limited by the number of connections.
TINY_BYTES = 4 * 1024
# In maximum body sizes.
MOST_LARGE = 12
MOST = 16


class Budget:
    """The bytes of all bodies and responses that requests hold."""

    def __init__(self, maximum_body_bytes: int) -> None:
        self.held = 0
        self._maximum = maximum_body_bytes
        self.most = MOST * maximum_body_bytes
        self._most_large = MOST_LARGE * maximum_body_bytes

    def expect(self, size: int, already: int = 0) -> None:
        """Check whether there is room for a body, of which ``already`` bytes are counted.

        Raises:
            RefusedBodyError: 413 or 503, if not.
        """
        if size <= TINY_BYTES:
            return
        if size > self._maximum:
            raise RefusedBodyError(413, f"the body is larger than {self._maximum} bytes")
        most = self._most_large if size > SMALL_BYTES else self.most
        # A single request is always accepted.
        if self.held > already and self.held + size - already > most:
            raise RefusedBodyError(503, "too many large requests at once; try again")


class Gate:
    """Lets bodies be decoded and predicted, at the same time up to a total size, in the order of their arrival.

    Decoded, a body takes many times its size.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._inside = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.passed = 0

    @property
    def is_empty(self) -> bool:
        return not self._inside

    @contextlib.asynccontextmanager
    async def inside(self, size: int, receive: Receive, seconds: float) -> AsyncIterator[None]:
        """Wait until there is room.

        Raises:
            RequestError: 503, if there is none in time.
            DisconnectedError: If the client disconnects meanwhile.
        """
        if self._waiting or not self._fits(size):
            await self._turn(size, receive, seconds)
        else:
            self._inside += size
        self.passed += 1
        try:
            yield
        finally:
            self._inside -= size
            self._let_in()

    async def _turn(self, size: int, receive: Receive, seconds: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        # The body is complete, so what comes next is that the client disconnects.
        gone = asyncio.ensure_future(receive())
        either: set[asyncio.Future[Any]] = {turn, gone}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        disconnected = not gone.cancel()
        if turn.cancel():
            self._let_in()
            if disconnected:
                raise DisconnectedError
            raise RequestError(503, f"other large requests took {seconds:g} seconds; try again")

    def _let_in(self) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._fits(self._waiting[0][0])):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._inside += size
                turn.set_result(None)

    def _fits(self, size: int) -> bool:
        return not self._inside or self._inside + size <= self._size
