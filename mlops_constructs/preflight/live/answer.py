"""The answer to a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["yes", "no", "undecided"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: A yes-or-no question.
        verdict: ``undecided`` where AWS's responses do not answer it.
        detail: AWS's response.
        decides: What follows for a pipeline.
        left: What could not be deleted, with the reason: a person must delete it.
    """

    question: str
    verdict: Verdict
    detail: str
    decides: str
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.verdict:<9} {self.question}", f"{'':10}{self.detail}", f"{'':10}{self.decides}"]
        return "\n".join([*lines, *(f"{'':10}NOT DELETED: {one}" for one in self.left)])
