"""The rows of a JSON Lines file: a list or an object in each line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from check_dataset.content import Content
    from check_dataset.contract import Contract


def json_rows(content: Content, contract: Contract) -> Iterator[tuple[int, Sequence[str] | None, list[Any]]]:
    """Each line's number, the names of its columns (``None`` for a list), and its cells.

    The cells of an object are in the order of the contract, or of the first line. A member that the contract names
    and a line lacks is null.

    Raises ConfigurationError that names the object and the line.
    """
    names, width, first_line = contract.names or None, 0, 0
    kind: type | None = None
    for line, text in enumerate(content.lines(None), start=1):
        if not text.strip():
            continue
        place = f"{content.place}, line {line}"
        value = _parsed(place, text)
        if kind is None:
            kind, first_line, width = type(value), line, len(names or value)
            if not contract.columns and width < 2:
                raise ConfigurationError(f"{place}: 1 column; the label and at least one feature are needed")
        elif type(value) is not kind:
            raise ConfigurationError(
                f"{place}: {_kind(value)}, but line {first_line} is {_kind(kind())}; write all lines alike"
            )
        if isinstance(value, dict):
            names = names or list(value)
            yield line, names, _ordered(place, value, names, contract, first_line)
            continue
        if len(value) != width:
            there = "the contract" if contract.columns else f"line {first_line}"
            raise ConfigurationError(f"{place}: {len(value)} columns, but {there} has {width}; write null for no value")
        yield line, None, value


def _ordered(place: str, value: dict[str, Any], names: list[str], contract: Contract, first_line: int) -> list[Any]:
    if unknown := [name for name in value if name not in names]:
        there = "the contract has" if contract.columns else f"line {first_line} has"
        raise ConfigurationError(f"{place}: {there} no column {', '.join(sorted(unknown))[:200]}")
    if not contract.columns and len(value) < len(names):
        missing = ", ".join(name for name in names if name not in value)
        raise ConfigurationError(
            f"{place}: there is no member {missing[:200]}, but line {first_line} has it; write null for no value"
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
