"""The base of every configuration class."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem


class Part:
    """A part of the configuration: a frozen dataclass whose annotations are read at run time.

    ``_kinds`` holds every value against them, ``reading`` makes parts from a mapping, ``schema`` describes them.
    """

    __slots__ = ()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong; every field has a value of its annotation's type, or a token."""
        raise NotImplementedError
