"""The custom attributes of a request: the header X-Amzn-SageMaker-Custom-Attributes, in and out.

For use inside ``predict`` (or the hooks): what the caller sent, and what to send back.
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
    """What the request has in its header; empty without one."""
    current = _current.get()
    return current.given if current else ""


def answer_attributes(text: str) -> None:
    """Set the header of the answer.

    Raises:
        ValueError: For what a header cannot hold; SageMaker takes at most 1,024 visible ASCII characters.
    """
    if len(text) > 1024 or not text.isascii() or not text.isprintable():
        raise ValueError("custom attributes are at most 1024 visible ASCII characters")
    current = _current.get()
    if current is not None:
        current.answer = text


class AttributesScope:
    """``with AttributesScope(given) as scope:`` predict; then ``scope.answer`` is what it set."""

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
