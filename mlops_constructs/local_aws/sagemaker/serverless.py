"""A serverless variant: its containers start for requests, and end when there are none."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.sagemaker.on_demand import OnDemandContainer
    from mlops_constructs.local_aws.service import Params

MAXIMUM_BODY_BYTES = 4 * 1024 * 1024
IDLE_SECONDS = 300.0
"""How long a container waits for the next request; AWS does not tell how long it waits."""
_CHECK_SECONDS = 0.2


class Serverless:
    """The requests of a serverless variant at one time. One process replaces all of its containers."""

    def __init__(self, account: Account, container: OnDemandContainer, config: Params) -> None:
        self._account = account
        self._container = container
        self._config = config
        self._active = 0
        self._lock = threading.Lock()
        self._used = account.clock.now()
        self._ended = threading.Event()
        if not config.get("ProvisionedConcurrency"):
            account.spawn("serverless", self._end_idle, always=True)

    @contextmanager
    def invocation(self) -> Iterator[float]:
        """Take one of the concurrent requests; give the seconds that a cold start took.

        Raises ThrottlingException when there are too many at one time, as the page says: "any endpoint invocations
        beyond the maximum are throttled".
        https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
        """
        with self._lock:
            if self._active >= self._config["MaxConcurrency"]:
                raise AwsError("ThrottlingException", "Rate exceeded")
            self._active += 1
        try:
            yield self._container.wake()
        finally:
            with self._lock:
                self._active -= 1
                self._used = self._account.clock.now()

    def end(self) -> None:
        """Start no container any more."""
        self._ended.set()

    def _end_idle(self) -> None:
        while not self._ended.wait(_CHECK_SECONDS) and not self._account.closing.is_set():
            with self._lock:
                idle = self._active == 0 and self._account.clock.now() - self._used > IDLE_SECONDS
            if idle and self._container.runs:
                self._container.rest()
