"""One thing that a pipeline made, and how to wait until it is gone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pipeline import DeployedPipeline

_POLL_SECONDS, _LOCAL_POLL_SECONDS = 5.0, 0.2
# The longest that SageMaker may take to roll an update back is 8 hours; an hour is enough for everything else.
_PATIENCE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that the pipeline created.

    Attributes:
        kind: Such as ``execution``, ``stack`` or ``model package``.
        name: Its name or location.
        delete: Deletes it, and waits until it is deleted; nothing happens when it is deleted already.
    """

    kind: str
    name: str
    delete: Callable[[], None] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a teardown waits for AWS.

    Attributes:
        pause: Waits between two looks.
        poll_seconds: How long, in seconds.
        seconds: How long altogether for one thing.
    """

    pause: Callable[[float], None] = time.sleep
    poll_seconds: float = _POLL_SECONDS
    seconds: float = _PATIENCE_SECONDS

    @classmethod
    def with_pipeline(cls, pipeline: DeployedPipeline) -> Patience:
        """Return the patience that a pipeline needs; a local AWS is quick."""
        return cls(poll_seconds=_POLL_SECONDS if pipeline.is_in_aws else _LOCAL_POLL_SECONDS)

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for a state. Raises MlopsError, which begins with ``what``, when it is not reached."""
        waited = 0.0
        while not reached():
            if waited >= self.seconds:
                minutes = round(self.seconds / 60)
                raise MlopsError(f"{what} for {minutes} minutes: look at it in the console, then run this again")
            self.pause(self.poll_seconds)
            waited += self.poll_seconds
