"""What AWS answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["yes", "no", "undecided"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: A question that is answered with yes or no.
        verdict: ``undecided`` where AWS could not be brought to answer it.
        detail: What AWS said.
        decides: What follows for a pipeline.
        left: What was made and could not be removed, with the reason: a person must remove it.
    """

    question: str
    verdict: Verdict
    detail: str
    decides: str
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.verdict:<9} {self.question}", f"{'':10}{self.detail}", f"{'':10}{self.decides}"]
        return "\n".join([*lines, *(f"{'':10}NOT REMOVED: {one}" for one in self.left)])
