"""Holds every value against the annotation of its field, before any rule compares or measures it.

A value of another kind is reported by its path. In its place the rules get a token, which none of them looks into, so
that the rest of the configuration is judged all the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from ..errors import Problem
from ._part import Part
from ._tokens import is_reference, is_single_token

# A required value that a mapping does not give.
ABSENT: Final = object()
STRING_TOKEN: Final = "${TfToken[TOKEN.0]}"
LIST_TOKEN: Final = "#{TfToken[TOKEN.0]}"
NUMBER_TOKEN: Final = -8.1e298
_ANY: Final = (str, int, float, bool)
_WORDS: dict[tuple[Any, ...], str] = {
    (bool,): "True or False",
    (int,): "a whole number",
    (float,): "a number",
    (str,): "a string",
    (Path,): "a path",
    (str, Path): "a path",
    _ANY: "a string, number or boolean",
}
_AS_STRING = "where a reference is allowed, take an entry with Fn.element, or make it a string with Token.as_string"
_AS_LIST = "where a reference is allowed, make it a list with Token.as_list"


@cache
def hints_of(part: Any) -> dict[str, Any]:
    """Return field to type."""
    hints = get_type_hints(part)
    return {field.name: hints[field.name] for field in dataclasses.fields(part)}


def choices_of(hint: Any) -> tuple[Any, ...]:
    """Return the types that a field takes, without None."""
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return tuple(one for one in choices if one is not NoneType)


def parts_of(hint: Any) -> tuple[type[Part], ...]:
    """Return the classes of a field that takes parts."""
    return tuple(one for one in choices_of(hint) if isinstance(one, type) and issubclass(one, Part))


def fitted(place: str, hint: Any, value: object, problems: list[Problem]) -> Any:
    """Return the value if it is of its type, or a token for it, and add what is of another type to ``problems``.

    A token of the type is left to the rules, which know where it is allowed.
    """
    if value is None and NoneType in get_args(hint):
        return None
    if value is ABSENT:
        problems.append(Problem(place, "is required", None, "give it"))
        return stand_in(hint)
    first = choices_of(hint)[0]
    if get_origin(first) is Mapping:
        return _mapping(place, first, value, problems)
    if get_origin(first) is Sequence:
        return _sequence(place, first, value, problems)
    if parts_of(hint):
        return _part(place, hint, value, problems)
    return _single(place, hint, value, problems)


def without_followers(broken: Iterable[Problem], wrong: Sequence[Problem]) -> list[Problem]:
    """Leave out the rules that are broken only by a token in place of a value of another type."""
    return [problem for problem in broken if not any(_follows(problem, cause) for cause in wrong)]


def stand_in(hint: Any) -> Any:
    """Return a token, or what holds one, in place of a value of another type."""
    first = choices_of(hint)[0]
    if get_origin(first) is Mapping:
        return {STRING_TOKEN: stand_in(get_args(first)[1])}
    if get_origin(first) is Sequence:
        entry = get_args(first)[0]
        return (stand_in(entry),) if parts_of(entry) else [LIST_TOKEN]
    if parts_of(hint):
        return first(**{name: stand_in(expected) for name, expected in hints_of(first).items()})
    if first is Path:
        return Path(STRING_TOKEN)
    return NUMBER_TOKEN if first in (int, float) else STRING_TOKEN


def _single(place: str, hint: Any, value: object, problems: list[Problem]) -> Any:
    choices = choices_of(hint)
    types = tuple({float: (int, float)}.get(one, str if get_origin(one) is Literal else one) for one in choices)
    # For Python a boolean is a number.
    if isinstance(value, types) and (bool in choices or not isinstance(value, bool)):
        return value
    if is_single_token(value) and str not in types:
        return value
    if get_origin(choices[0]) is Literal:
        *others, last = map(repr, get_args(choices[0]))
        problems.append(Problem(place, f"must be {', '.join(others)} or {last}", _shown(value), "choose one"))
    else:
        words = _WORDS[choices]
        remedy = _AS_STRING if _is_token(value) and str in choices else f"give {words}"
        if choices == (str,) and not _is_token(value) and type(value) in (int, float):
            remedy += f", such as {str(value)!r}"
        elif len(choices) == len(_ANY):
            remedy = "give one of these, a list or a mapping as JSON text"
        problems.append(Problem(place, f"must be {words}", _shown(value), remedy))
    return stand_in(hint)


def _mapping(place: str, hint: Any, value: object, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping) or _is_token(value):
        rule = "must be a mapping that is known at synth" if _is_token(value) else "must be a mapping"
        problems.append(Problem(place, rule, _shown(value), "give a mapping, or leave it out"))
        return stand_in(hint)
    changed = {}
    for key, entry in value.items():
        at = f"{place}[{key!r}]"
        if isinstance(key, str):
            changed[key] = fitted(at, get_args(hint)[1], entry, problems)
        else:
            problems.append(Problem(at, "the name must be a string", key, f"write it in quotes, as {str(key)!r}"))
    return value if len(changed) == len(value) and all(value[key] is changed[key] for key in changed) else changed


def _sequence(place: str, hint: Any, value: object, problems: list[Problem]) -> Any:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray, memoryview)):
        remedy = "give a list, or leave it out"
        if _is_token(value) or isinstance(value, str):
            remedy = _AS_LIST if is_reference(value) else "put it in a list"
        problems.append(Problem(place, "must be a list", _shown(value), remedy))
        return stand_in(hint)
    entry = get_args(hint)[0]
    changed = [fitted(f"{place}[{index}]", entry, one, problems) for index, one in enumerate(value)]
    return value if all(one is other for one, other in zip(changed, value, strict=True)) else changed


def _part(place: str, hint: Any, value: object, problems: list[Problem]) -> Any:
    classes = parts_of(hint)
    if not isinstance(value, classes):
        *others, last = (one.__name__ for one in classes)
        names = f"{', '.join(others)} or {last}" if others else last
        rule = "must be known at synth" if _is_token(value) else f"must be of the class {names}"
        problems.append(Problem(place, rule, _shown(value), f"give {classes[0].__name__}(...)"))
        return stand_in(hint)
    changed = copy(value)
    kind: Any = type(value)
    for name, expected in hints_of(kind).items():
        given = getattr(value, name)
        fitting = fitted(f"{place}.{name}" if place else name, expected, given, problems)
        if fitting is not given:
            object.__setattr__(changed, name, fitting)
    return changed


def _follows(problem: Problem, cause: Problem) -> bool:
    place = cause.field
    if problem.field == place or problem.field.startswith((f"{place}.", f"{place}[")):
        return True
    return problem.got == "a token" and place.startswith(f"{problem.field}[")


def _is_token(value: object) -> bool:
    """Tell whether the whole value is a token, which may be the only entry of a list or a mapping."""
    if isinstance(value, (Mapping, list)) and len(value) == 1:
        return is_single_token(next(iter(value)))
    return is_single_token(value)


def _shown(value: object) -> object:
    return "a token" if _is_token(value) else value
