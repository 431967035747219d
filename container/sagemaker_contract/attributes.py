"""The header X-Amzn-SageMaker-Custom-Attributes of a request and of its response.

For use inside ``predict``, or the functions of sagemaker-inference.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class _Attributes:
    given: str
    answer: str = ""


_current: ContextVar[_Attributes | None] = ContextVar("custom attributes", default=None)


def request_attributes() -> str:
    """The value of the request's header; empty if the request has none."""
    current = _current.get()
    return current.given if current else ""


def answer_attributes(text: str) -> None:
    """Set the header of the response.

    Raises:
        ValueError: If the text is not allowed in this header; SageMaker accepts at most 1,024 visible ASCII characters.
    """
    if len(text) > 1024 or not text.isascii() or not text.isprintable():
        raise ValueError("custom attributes are at most 1024 visible ASCII characters")
    current = _current.get()
    if current is not None:
        current.answer = text


class AttributesScope:
    """In ``with AttributesScope(given) as scope:`` call ``predict``; ``scope.answer`` is the value that it set."""

    def __init__(self, given: str) -> None:
        self._attributes = _Attributes(given)

    def __enter__(self) -> AttributesScope:
        self._token = _current.set(self._attributes)
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)

    @property
    def answer(self) -> str:
        return self._attributes.answer
