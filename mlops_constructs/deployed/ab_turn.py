"""Whose turn it is: a command changes a test only while nobody else does, and only what is as the record says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ..errors import MlopsError
from .ab_checks import disagreements, hold_of
from .ab_endpoint import Endpoint, Observed
from .ab_record import ABORT, RUNNING, Deployed, Record, Test
from .ab_store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ab_changes import Changes
    from .ab_checks import Hold
    from .pipeline import DeployedPipeline

_PATIENCE_SECONDS = 1800.0
_POLL_SECONDS = 2.0


class Roles(NamedTuple):
    """The record of a test that runs, with its ETag and its parts."""

    record: Record
    etag: str
    champion: Deployed
    challenger: Deployed
    test: Test


class Turn:
    """The turn of one command."""

    def __init__(self, pipeline: DeployedPipeline, tell: Callable[[str], None], pause: Callable[[float], None]) -> None:
        """Take the pipeline, the function that is told what is waited for, and the one that waits."""
        self._pipeline, self._tell, self._pause = pipeline, tell, pause
        self.store = Store(pipeline)

    def champion(self) -> tuple[Record, str, Deployed]:
        """Return the record, its ETag and the champion. Raises MlopsError when there is no champion."""
        record, etag = self.store.read()
        if record.champion is None or etag is None:
            raise MlopsError(f"{self._pipeline.name} has no champion yet: its first release becomes the champion")
        return record, etag, record.champion

    def roles(self) -> Roles:
        """Return the roles. Raises MlopsError when no test runs."""
        record, etag, champion = self.champion()
        test = record.running
        if test is None or record.challenger is None:
            raise MlopsError(f"no A/B test of {self._pipeline.name} runs; the next release begins one")
        return Roles(record, etag, champion, record.challenger, test)

    def endpoint(self) -> Endpoint:
        """Return the production endpoint. Raises MlopsError when it is not deployed."""
        return Endpoint(self._pipeline, self._tell, self._pause)

    def at_rest(self, changes: Changes, endpoint: Endpoint) -> tuple[Roles, Observed]:
        """Return the roles and the endpoint, which nobody changes and which agree, except for the weights.

        What a crashed command has begun is brought to an end before.
        """
        record, etag, _ = self.champion()
        hold = hold_of(self._pipeline, record, time.time())
        if hold is not None:
            if hold.live or hold.intent.execution_id is not None:
                raise MlopsError(f"{hold.sentence}; nothing was changed")
            if hold.intent.kind == ABORT:
                changes.abort(record, etag, record.why)
            else:
                changes.finish_shift(record, etag)
        roles, seen = self.roles(), endpoint.observe()
        found = [seen.busy()] if seen.busy() else disagreements(roles.record, seen)
        if not found and roles.test.state != RUNNING:
            found = [f"the A/B test of {self._pipeline.name} has not begun: its challenger gets no requests yet"]
        if found:
            raise MlopsError(f"{'; '.join(found)}; nothing was changed")
        return roles, seen

    def to_abort(self, endpoint: Endpoint) -> tuple[Record, str, Observed, Hold | None]:
        """Wait until no command changes the endpoint; whether it is in service, or as it should be, is no matter.

        Return the change of a pipeline execution that is still at it, too.

        Raises MlopsError while an execution changes an endpoint without a test, or when the wait is too long.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            record, etag, _ = self.champion()
            hold, seen = hold_of(self._pipeline, record, time.time()), endpoint.state()
            if hold is None or not hold.live:
                return record, etag, seen, None
            if hold.intent.execution_id is not None:
                if record.running is not None or not seen.has(record.weights):
                    return record, etag, seen, hold
                stop = f"mlops stop {self._pipeline.name} --execution {hold.intent.execution_id} --abandon"
                raise MlopsError(f"{hold.sentence}, or end it with `{stop}` and abort then; nothing was changed")
            if time.monotonic() >= deadline:
                raise MlopsError(f"{hold.sentence}; nothing was changed in {_PATIENCE_SECONDS / 60:.0f} minutes")
            self._tell(hold.sentence)
            self._pause(_POLL_SECONDS)
