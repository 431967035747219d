"""Which stages cannot be entered, because their inbound transition is disabled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    import threading
    from datetime import datetime

    from mlops_constructs.local_aws.codepipeline.state import Execution

_CHECK_SECONDS = 0.2


@dataclass(frozen=True)
class Disabled:
    """By whom and why a stage was closed."""

    reason: str
    changed_by: str
    changed: datetime = field(default_factory=utc_now)


class Gates:
    """The closed stages, by names of the pipeline and the stage.

    Attributes:
        changed: Guards them, and is notified of every change.
        closed: Why each is closed.
    """

    def __init__(self, changed: threading.Condition, closing: threading.Event) -> None:
        self.closed: dict[tuple[str, str], Disabled] = {}
        self.changed, self._closing = changed, closing

    def passes(self, execution: Execution, stage: str) -> bool:
        """Wait while a stage is closed; False when the execution was stopped meanwhile."""
        with self.changed:
            while (execution.pipeline_name, stage) in self.closed and not execution.stopping:
                if self._closing.is_set():
                    break
                self.changed.wait(_CHECK_SECONDS)
            return not execution.stopping

    def forget(self, pipeline_name: str) -> None:
        """Drop a deleted pipeline."""
        for key in [key for key in self.closed if key[0] == pipeline_name]:
            del self.closed[key]
