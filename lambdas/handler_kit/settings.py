"""Frozen dataclasses that are read from text and report all mistakes together.

The type of a field defines how its text is read:

==============================  ====================================================
``str``                         a text that is not empty
``str | None``                  empty means ``None``
``int``                         a whole number, at least 1
``int | None``                  the same; empty means ``None``
``float | None``                a finite number; empty means ``None``
``dict[str, str]``              a JSON object of strings
``dict[str, dict[str, str]]``   a JSON object of JSON objects of strings
``list[dict[str, str]]``        a JSON array of JSON objects of strings
==============================  ====================================================
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RecordT = TypeVar("RecordT")

# Means "no value" where an empty text is not accepted: in variables and parameters of CodePipeline, and in the SSM
# parameter of the image.
NONE = "none"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A backslash would change the meaning of the character after it.
_NOT_CARRIED = re.compile(r'"(\w+)"\s*:\s*"[^"]*[\\\x00-\x1f\x7f]')
_RENAME = (
    "The key of an object that starts the pipeline must have no quote, backslash or control character: CodePipeline"
    " inserts it into JSON. Upload the object under another key."
)


class SettingsBase:
    """Base of a function's ``Settings``; the environment variable of a field is its name in upper case."""

    @classmethod
    def from_env(cls: type[RecordT], environ: Mapping[str, str] | None = None) -> RecordT:
        """Read every field. Raises ConfigurationError that names each variable that is missing or malformed."""
        values = os.environ if environ is None else environ
        return _read(cls, values, "environment variable", str.upper)


class ParamsBase:
    """Base of a function's ``Params``; the keys are the names of the fields."""

    @classmethod
    def from_json(cls: type[RecordT], text: str) -> RecordT:
        """Read an action's UserParameters.

        CodePipeline inserts variables into the text unchanged, for instance an object's key, so a quote could end a
        value and begin another one. Raises ConfigurationError that names each key that is missing, unknown, duplicate
        or malformed.
        """
        _check_carried(text)
        try:
            values = json.loads(text, object_pairs_hook=_without_duplicates)
        except ValueError as error:
            place = getattr(error, "pos", 0)
            raise ConfigurationError(
                f"UserParameters: must be JSON: {error}: {_shown(text, place)}. {_RENAME}"
            ) from None
        return _read_params(cls, values, "UserParameters", _execution_problems(values))

    @classmethod
    def from_mapping(cls: type[RecordT], event: object) -> RecordT:
        """Read an event whose keys are the parameters. Raises ConfigurationError like ``from_json``."""
        return _read_params(cls, event, "event")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ConfigurationError(f"UserParameters key {', '.join(twice)}: given twice. {_RENAME}")
    return values


def _check_carried(text: str) -> None:
    found = _NOT_CARRIED.search(text)
    if found is not None:
        place = _shown(text, found.start())
        raise ConfigurationError(
            f"UserParameters key {found[1]}: has a character that is not allowed: {place}. {_RENAME}"
        )


def _shown(text: str, place: int) -> str:
    """The parameters around a place, where the key of the object is."""
    return repr(text[max(0, place - 200) : place + 200])


def _execution_problems(values: object) -> list[str]:
    execution = values.get("execution_id") if isinstance(values, dict) else None
    if not isinstance(execution, str) or _UUID.fullmatch(execution):
        return []
    return [f"UserParameters key execution_id: must be a UUID, got {execution!r}"]


def _read_params(cls: type[RecordT], values: object, source: str, problems: list[str] | None = None) -> RecordT:
    if not isinstance(values, dict):
        raise ConfigurationError(f"{source}: must be a JSON object, got {_kind(values)}")
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    unknown = [f"{source} key {key}: unknown" for key in sorted(values.keys() - known)]
    return _read(cls, values, f"{source} key", str, [*(problems or ()), *unknown])


def _read(
    cls: type[RecordT],
    values: Mapping[str, Any],
    source: str,
    rename: Callable[[str], str],
    problems: list[str] | None = None,
) -> RecordT:
    problems = list(problems or ())
    hints = get_type_hints(cls)
    found: dict[str, Any] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        key = rename(field.name)
        if key not in values:
            if field.default is MISSING:
                problems.append(f"{source} {key}: missing")
            continue
        try:
            found[field.name] = _READERS[hints[field.name]](values[key])
        except ValueError as error:
            problems.append(f"{source} {key}: {error}")
    if problems:
        raise ConfigurationError("; ".join(problems))
    return cls(**found)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, got {_kind(value)}")
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _count(value: Any) -> int:
    try:
        number = int(_text(value))
    except ValueError:
        raise ValueError(f"must be a whole number, got {value!r}") from None
    if number < 1:
        raise ValueError(f"must be at least 1, got {number}")
    return number


def _number(value: Any) -> float:
    try:
        number = float(_text(value))
    except ValueError:
        raise ValueError(f"must be a number, got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {value!r}")
    return number


def _optional(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value == "" else reader(value)


def _json(value: Any) -> Any:
    # The decoder's message has the position and no part of the value, which may be confidential.
    try:
        return json.loads(_text(value))
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON: {error}") from None


def _string_map(value: Any) -> dict[str, str]:
    return _checked_string_map(_json(value), "")


def _nested_string_map(value: Any) -> dict[str, dict[str, str]]:
    parsed = _json(value)
    if not isinstance(parsed, dict):
        raise ValueError(f"must be a JSON object, got {_kind(parsed)}")
    return {key: _checked_string_map(inner, f"{key}: ") for key, inner in parsed.items()}


def _checked_string_map(value: Any, place: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{place}must be a JSON object, got {_kind(value)}")
    for key, inner in value.items():
        if not isinstance(inner, str):
            raise ValueError(f"{place}{key} must be a string, got {_kind(inner)}")
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    str | None: _optional(_text),
    int: _count,
    int | None: _optional(_count),
    float | None: _optional(_number),
    dict[str, str]: _string_map,
    dict[str, dict[str, str]]: _nested_string_map,
}
