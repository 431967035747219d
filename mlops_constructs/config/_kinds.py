"""Whether fields hold what their annotations say, before any rule compares or measures them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Problem
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


def kind_problems(part: Any) -> Iterator[Problem]:
    """Yield the fields of a part, and of the parts in it, that hold something of another kind.

    Tokens are left to the rules, which know where one may stand.
    """
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        yield from _problems(field.name, str(field.type), value)
        for name, inner in _inner(field.name, value):
            for problem in kind_problems(inner):
                yield Problem(f"{name}.{problem.field}", problem.rule, problem.got, problem.remedy)


def _problems(name: str, annotation: str, value: object) -> Iterator[Problem]:
    kind = re.split(r"\W", annotation, maxsplit=1)[0]
    if kind not in _KINDS or is_token(value) or (value is None and annotation.endswith("None")):
        return
    words, types = _KINDS[kind]
    if "Path" in annotation:
        types = (*types, Path)
    # For Python a boolean is a number.
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
        yield Problem(name, f"must be {words}", value, f"give {words}")


def _inner(name: str, value: object) -> Iterator[tuple[str, Any]]:
    """Give the parts that a field holds: itself, in a list, or in a mapping."""
    entries: list[tuple[str, Any]] = [(name, value)]
    if isinstance(value, Mapping):
        entries = [(f"{name}[{key!r}]", one) for key, one in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        entries = [(f"{name}[{index}]", one) for index, one in enumerate(value)]
    return (entry for entry in entries if dataclasses.is_dataclass(entry[1]))
