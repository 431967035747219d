"""The rows of a JSON Lines file, or of a JSON array: a list or an object each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_dataset.content import Content
    from check_dataset.contract import Contract

# The number of each value in a file, and the value.
Values = Iterator[tuple[int, Any]]


def json_lines(content: Content) -> Values:
    """The value in each line that is not blank. Raises ConfigurationError that names the line."""
    for line, text in enumerate(content.lines(None), start=1):
        if text.strip():
            yield line, _parsed(f"{content.place}, line {line}", text)


def json_rows(
    place: str, values: Values, contract: Contract, unit: str
) -> Iterator[tuple[int, Sequence[str] | None, list[Any]]]:
    """Each value's number, the names of its columns (``None`` for a list), and its cells.

    The cells of an object are in the order of the contract, or of the first object. A member that the contract names
    and an object lacks is null.

    Raises ConfigurationError that names the file, and the value by ``unit`` and number.
    """
    names, width, first = contract.names or None, 0, ""
    kind: type | None = None
    for number, value in values:
        at = f"{place}, {unit} {number}"
        if kind is None:
            kind, first, width = type(value), f"{unit} {number}", len(names or value)
            if not contract.columns and width < 2:
                raise ConfigurationError(f"{at}: 1 column; the label and at least one feature are needed")
        elif type(value) is not kind:
            raise ConfigurationError(f"{at}: {_kind(value)}, but {first} is {_kind(kind())}; write all {unit}s alike")
        if isinstance(value, dict):
            names = names or list(value)
            yield number, names, _ordered(at, value, names, contract, first)
            continue
        if len(value) != width:
            there = "the contract" if contract.columns else first
            raise ConfigurationError(f"{at}: {len(value)} columns, but {there} has {width}; write null for no value")
        yield number, None, value


def _ordered(place: str, value: dict[str, Any], names: list[str], contract: Contract, first: str) -> list[Any]:
    if unknown := [name for name in value if name not in names]:
        there = "the contract has" if contract.columns else f"{first} has"
        raise ConfigurationError(f"{place}: {there} no column {', '.join(sorted(unknown))[:200]}")
    if not contract.columns and len(value) < len(names):
        missing = ", ".join(name for name in names if name not in value)
        raise ConfigurationError(
            f"{place}: there is no member {missing[:200]}, but {first} has it; write null for no value"
        )
    return [value.get(name) for name in names]


def _parsed(place: str, text: str) -> dict[str, Any] | list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{place}: not JSON ({error}); write one list or object in each line") from None
    if not isinstance(value, (dict, list)):
        raise ConfigurationError(f"{place}: must be a JSON object or list")
    return value


def _kind(value: dict[str, Any] | list[Any]) -> str:
    return "an object" if isinstance(value, dict) else "a list"
