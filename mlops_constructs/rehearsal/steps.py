"""The result of a rehearsal, and the time of each step."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_constructs.rehearsal.progress import Update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.rehearsal.progress import Watcher


@dataclass(slots=True)
class Result:
    """The result of a rehearsal.

    Attributes:
        pipeline: Name of the ML pipeline.
        execution_id: Its execution.
        production_endpoint: Name of the endpoint that was invoked.
        rows: Number of held-out rows that it predicted.
        iam: Whether the policies of the roles were enforced.
        metrics: ``accuracy`` of these predictions, or for numbers ``rmse``, ``mae`` and ``r2``; empty without rows.
        seconds: Phase to its duration.
    """

    pipeline: str = ""
    execution_id: str = ""
    production_endpoint: str = ""
    rows: int = 0
    iam: bool = True
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Steps:
    """Shows steps to the watcher, and records their durations."""

    def __init__(self, result: Result, watcher: Watcher) -> None:
        """Record durations in ``result``."""
        self._result, self._watcher = result, watcher

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Measure a phase, without showing it."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._result.seconds[phase] = round(time.monotonic() - began, 2)

    @contextmanager
    def step(self, group: str, name: str) -> Iterator[Any]:
        """Show and measure a step; the object that it yields receives the detail to show at the end."""
        detail: list[str] = []
        began = time.monotonic()
        self._watcher.update(Update(group=group, name=name, state="running"))

        def tell(state: Any, text: str) -> None:
            seconds = time.monotonic() - began
            self._result.seconds[f"{group} {name}"] = round(seconds, 2)
            self._watcher.update(Update(group=group, name=name, state=state, detail=text, seconds=seconds))

        try:
            yield detail.append
        except BaseException as error:
            reason = str(error).splitlines()
            tell("failed", reason[0] if reason else type(error).__name__)
            raise
        tell("succeeded", " ".join(detail))
