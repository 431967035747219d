"""The arguments of a pipeline from a mapping, as it is read from YAML, JSON or TOML."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from ..errors import Problem
from ._kinds import ABSENT, choices_of, hints_of, parts_of
from .pipeline import Arguments
from .ranges import CategoricalParameter, ContinuousParameter, IntegerParameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._part import Part

# As SageMaker calls the types of hyperparameters:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterSpecification.html
RANGES: dict[str, type[Part]] = {
    "Integer": IntegerParameter,
    "Continuous": ContinuousParameter,
    "Categorical": CategoricalParameter,
}
REQUIRED = ("algorithm", "dataset")


def read_arguments(values: object) -> tuple[dict[str, Any], list[Problem]]:
    """Return the arguments that are given, and what cannot be read.

    A value of another type is left as it is: the configuration reports it, with everything else that is wrong.
    """
    problems: list[Problem] = []
    if not isinstance(values, Mapping):
        problems.append(Problem("values", "must be a mapping", values, "give the arguments by name"))
        values = {}
    found = _read_fields("", Arguments, values, problems)
    return {**dict.fromkeys(REQUIRED, ABSENT), **found}, problems


def _read_part(place: str, part: Any, values: Mapping[Any, Any], problems: list[Problem]) -> Any:
    required = [
        field.name
        for field in dataclasses.fields(part)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return part(**{**dict.fromkeys(required, ABSENT), **_read_fields(place, part, values, problems)})


def _read_fields(place: str, part: Any, values: Mapping[Any, Any], problems: list[Problem]) -> dict[str, Any]:
    hints, found = hints_of(part), {}
    for key, value in values.items():
        if key in hints:
            found[key] = _read(f"{place}.{key}" if place else key, hints[key], value, problems)
        else:
            at = f"{place}.{key}" if place else str(key)
            problems.append(Problem(at, "is unknown", value, _suggestion(key, hints)))
    return found


def _read(place: str, hint: Any, value: object, problems: list[Problem]) -> Any:
    first, parts = choices_of(hint)[0], parts_of(hint)
    if parts and isinstance(value, Mapping):
        return _read_range(place, value, problems) if len(parts) > 1 else _read_part(place, first, value, problems)
    if get_origin(first) is Mapping and isinstance(value, Mapping):
        entry = get_args(first)[1]
        return {key: _read(f"{place}[{key!r}]", entry, one, problems) for key, one in value.items()}
    if get_origin(first) is Sequence and isinstance(value, (list, tuple)):
        entry = get_args(first)[0]
        return [_read(f"{place}[{index}]", entry, one, problems) for index, one in enumerate(value)]
    # Absolute, because CDKTF works in a folder of its own.
    return Path(value).absolute() if first is Path and isinstance(value, str) else value


def _read_range(place: str, value: Mapping[Any, Any], problems: list[Problem]) -> Any:
    kind = value.get("type")
    part = RANGES.get(kind) if isinstance(kind, str) else None
    if part is None:
        *others, last = map(repr, RANGES)
        problems.append(Problem(f"{place}.type", f"must be {', '.join(others)} or {last}", kind, "choose one"))
        return IntegerParameter(1, 2)
    return _read_part(place, part, {key: one for key, one in value.items() if key != "type"}, problems)


def _suggestion(key: object, names: Iterable[str]) -> str:
    # Loaded only for a mistake.
    from difflib import get_close_matches

    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-\s.]+", "_", str(key)).lower()
    close = get_close_matches(snake, list(names), n=1)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(names)}"
