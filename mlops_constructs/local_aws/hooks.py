"""Where something may step between the services and what they do. This one does nothing; `faults` replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.containers.running import Container


@dataclass(frozen=True)
class ApiCall:
    """A request to an AWS API.

    Attributes:
        service: Name in botocore, such as ``sagemaker``.
        operation: Such as ``CreateTrainingJob``.
        params: Members of the request.
        access_key: The key that signed it.
    """

    service: str
    operation: str
    params: dict[str, Any]
    access_key: str


@dataclass(frozen=True)
class Program:
    """A program that a service has started.

    Attributes:
        kind: ``training``, ``processing``, ``transform``, ``serving`` or ``build``.
        name: Of the job, endpoint or build.
        container: It, running.
        interrupt: Takes its instance away, as a spot interruption does; None where there is none.
    """

    kind: str
    name: str
    container: Container
    interrupt: Callable[[], None] | None = None


class ConnectionCutError(Exception):
    """The caller gets no response: the connection is closed."""


class Hooks:
    """Every place where something may step in."""

    def around(self, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """Answer a request; ``proceed`` lets the service answer it.

        Raises `AwsError` for an error response, and `ConnectionCutError` for none.
        """
        return proceed()

    def emitted(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the events that EventBridge delivers for one event, in this order."""
        return [event]

    def invoked(self, function: str) -> int:
        """Return how often an asynchronous event of a function is delivered."""
        return 1

    def clock_ahead(self, function: str) -> float:
        """Return by how many seconds the clock of a function is ahead."""
        return 0.0

    def asked(self, pipeline: str, action: str) -> None:
        """An approval has been asked for; an answer waits until this returns."""

    def started(self, program: Program) -> None:
        """A program has started."""

    def baking(self, endpoint: str, alarms: list[str]) -> None:
        """The new fleet of an endpoint is healthy, and these alarms can roll it back."""

    def over_quota(self, quota: str) -> None:
        """A request was refused because of a quota."""
