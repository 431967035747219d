"""Requests whose body does not come: they are refused, so that they cannot hold memory and connections for ever."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from sagemaker_contract.errors import RequestError
from sagemaker_contract.serving.bodies import read_body
from sagemaker_contract.serving.messages import Answer, RefusedBodyError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sagemaker_contract.serving.bodies import Client
    from sagemaker_contract.serving.budget import Budget
    from sagemaker_contract.serving.telemetry import Telemetry

_BODY_SECONDS = 60


class SendAnswer(Protocol):
    """Sends a response to a client."""

    def __call__(self, client: Client, answer: Answer, *, closes: bool) -> Awaitable[None]: ...


class UnreadBodies:
    """The requests of one worker whose body is still to come, those that wait longest first."""

    def __init__(self, budget: Budget, telemetry: Telemetry, send: SendAnswer) -> None:
        self._budget = budget
        self._telemetry = telemetry
        self._send = send
        self._clients: dict[Client, float] = {}
        self._refusals: set[asyncio.Future[None]] = set()

    async def read(self, client: Client) -> bytes:
        """Return the body of a request.

        Raises:
            RefusedBodyError: What ``read_body`` raises, and 503 if the task is cancelled.
            DisconnectedError: If the client disconnects.
        """
        self._clients[client] = time.perf_counter()
        try:
            return await read_body(client, self._budget)
        except asyncio.CancelledError:
            raise RefusedBodyError(503, "the worker ended before the whole body arrived; try again") from None
        finally:
            self._clients.pop(client, None)

    def refuse_overdue(self) -> None:
        """Respond with 408 to requests whose body is overdue; must be called regularly."""
        now = time.perf_counter()
        for client in [client for client, began in self._clients.items() if now - began > _BODY_SECONDS]:
            self._refuse(client, f"the body did not arrive within {_BODY_SECONDS} seconds")

    def refuse_oldest(self) -> bool:
        """Make room for another connection; return whether there was a body to come.

        A small body comes with its head, and never waits.
        """
        client = next(iter(self._clients), None)
        if client is not None:
            self._refuse(client, "the body has not arrived yet, and there are too many connections; try again")
        return client is not None

    def _refuse(self, client: Client, reason: str) -> None:
        self._telemetry.answered(408, time.perf_counter() - self._clients.pop(client))
        # Nothing waits for it: a client that does not read would stop the worker.
        refusal = asyncio.ensure_future(self._send(client, Answer.of_error(RequestError(408, reason)), closes=True))
        self._refusals.add(refusal)
        refusal.add_done_callback(self._refusals.discard)
