"""Questions that only AWS itself can answer, asked by making small things and removing them again."""

from .answer import Answer
from .ask import QUESTIONS, ask

__all__ = ["QUESTIONS", "Answer", "ask"]
