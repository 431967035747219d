"""Checks that fields have the types of their annotations, before any rule compares or measures them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Problem, under
from ._rules import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

# What an annotation begins with -> what it takes, in words and as types.
_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "bool": ("True or False", (bool,)),
    "int": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "str": ("a string", (str,)),
    "Literal": ("a string", (str,)),
    "Path": ("a path", (Path,)),
}


# The class of a part, alone or with None.
_PART = re.compile(r"[A-Z]\w*(?: \| None)?")


def is_part(annotation: str) -> bool:
    """Tell whether a field with this annotation is another dataclass, and not a value."""
    return _PART.fullmatch(annotation) is not None


def kind_problems(name: str, annotation: str, value: object) -> Iterator[Problem]:
    """Yield what is of another type than its annotation: the value of a field, and what it contains.

    Tokens are left to the rules, which know where a token is allowed.
    """
    if value is not None or not annotation.endswith("None"):
        yield from _problems(name, annotation, value)
    for place, part in _inner(name, value):
        for field in dataclasses.fields(part):
            yield from under(place, kind_problems(field.name, str(field.type), getattr(part, field.name)))


def _problems(name: str, annotation: str, value: object) -> Iterator[Problem]:
    kind = re.split(r"\W", annotation, maxsplit=1)[0]
    if is_part(annotation) and kind not in _KINDS:
        if kind not in (base.__name__ for base in type(value).__mro__):
            yield Problem(name, f"must be of the class {kind}", value, f"give {kind}(...)")
        return
    if kind not in _KINDS or is_token(value):
        return
    words, types = _KINDS[kind]
    if "Path" in annotation:
        types = (*types, Path)
    # For Python a boolean is a number.
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
        yield Problem(name, f"must be {words}", value, f"give {words}")


def _inner(name: str, value: object) -> Iterator[tuple[str, Any]]:
    """Return the dataclasses that a field contains: itself, in a list, or in a mapping."""
    entries: list[tuple[str, Any]] = [(name, value)]
    if isinstance(value, Mapping):
        entries = [(f"{name}[{key!r}]", one) for key, one in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        entries = [(f"{name}[{index}]", one) for index, one in enumerate(value)]
    return ((place, one) for place, one in entries if dataclasses.is_dataclass(one) and not isinstance(one, type))
