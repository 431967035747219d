"""The interface between a rehearsal and its output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["running", "waiting", "succeeded", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A step started, changed or ended.

    Attributes:
        group: Phase or pipeline, such as ``Terraform`` or ``pipeline iris-1a2b3c``.
        name: Step, or ``Stage / Action``.
        state: State of the step.
        detail: One line; the reason when it failed.
        seconds: Time since it began.
    """

    group: str
    name: str
    state: State
    detail: str = ""
    seconds: float = 0.0


class Watcher(Protocol):
    """Shows a rehearsal, and answers its approval."""

    def update(self, update: Update) -> None:
        """Show a change."""

    def log(self, line: str) -> None:
        """Show a line of the local AWS's log."""

    def decide(self, evidence: str) -> bool:
        """Answer the approval: True approves, False rejects."""
