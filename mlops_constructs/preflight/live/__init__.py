"""Questions that only AWS itself can answer, by creating small resources and deleting them again."""

from .answer import Answer
from .ask import QUESTIONS, ask

__all__ = ["QUESTIONS", "Answer", "ask"]
