"""What the functions of the account call."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.hooks import ApiCall
    from mlops_constructs.local_aws.local_aws import LocalAws


class Call(NamedTuple):
    """A call of a function.

    Attributes:
        function: Name of the function.
        service: Name in botocore.
        operation: Such as ``CreateTrainingJob``.
    """

    function: str
    service: str
    operation: str


class Recorder:
    """Remembers every call that a function makes.

    Attributes:
        calls: The calls, in their order.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.calls: list[Call] = []
        self._lock = threading.Lock()

    def around(self, aws: LocalAws, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """Remember a call of a function."""
        running = aws.lambda_.running(call.access_key)
        if running is not None:
            with self._lock:
                self.calls.append(Call(running[0], call.service, call.operation))
        return proceed()
