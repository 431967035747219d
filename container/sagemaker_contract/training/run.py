"""The argument ``run`` of an algorithm's ``train``: its access to the training job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sagemaker_contract.training.checkpoints import Checkpoints

CHECKPOINT_EVERY_SECONDS = 30


class Run:
    """One run of a training job.

    Attributes:
        hosts: All instances of the job, in SageMaker's order.
        current_host: The instance that this program runs on.
        checkpoint: The model from an earlier, interrupted run of this job; ``None`` if there is none.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        current_host: str,
        stop_requested: Callable[[], bool],
        checkpoints: Checkpoints | None,
    ) -> None:
        """``checkpoints`` is ``None`` for a job without a checkpoint folder."""
        self.hosts = tuple(hosts)
        self.current_host = current_host
        self.checkpoint: Any | None = checkpoints.latest() if checkpoints else None
        self._stop_requested = stop_requested
        self._checkpoints = checkpoints
        self._saved_at = time.monotonic()

    def stop_requested(self) -> bool:
        """Whether the job must stop (it received SIGTERM): return the model trained so far soon."""
        return self._stop_requested()

    def save_checkpoint(self, model: Any, *, now: bool = False) -> None:
        """Save the model trained so far; call it often: it writes at most every 30 seconds, except with ``now``."""
        if self._checkpoints and (now or time.monotonic() - self._saved_at >= CHECKPOINT_EVERY_SECONDS):
            self._checkpoints.write(model)
            self._saved_at = time.monotonic()
