"""JSON Lines: a list or an object in each line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files.lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sagemaker_contract.columns import Layout


def read_json_lines(file: Path, layout: Layout) -> Iterator[tuple[str, list[Any]]]:
    """Every line that is not blank; the cells of an object are in the order of the layout, whatever its own order.

    Raises:
        DataError: For a line that is not JSON, or has other columns.
    """
    lines = ((place, _parsed(place, text)) for place, text in read_lines(file) if text.strip())
    return arranged(lines, layout, "line")


def arranged(values: Iterable[tuple[str, Any]], layout: Layout, unit: str) -> Iterator[tuple[str, list[Any]]]:
    """The cells of lists and objects, with the place of each.

    Raises:
        DataError: For a value that has other columns, or is of another kind than the first.
    """
    first: tuple[str, type] | None = None
    names: list[str] | None = None
    order: list[int | None] = []
    for place, value in values:
        if first is None:
            first = place, type(value)
        elif type(value) is not first[1]:
            kind = "an object" if isinstance(value, dict) else "a list"
            raise DataError(f"{place}: {kind}, but {first[0]} is not; write all {unit}s alike")
        if isinstance(value, list):
            layout.check_width(place, len(value))
            yield place, value
            continue
        if list(value) != names:
            order, names = layout.order(place, list(value)), list(value)
        cells = list(value.values())
        yield place, [None if index is None else cells[index] for index in order]


def _parsed(place: str, text: str) -> dict[str, Any] | list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not JSON: {error}; write one list or object in each line") from None
    if not isinstance(value, (dict, list)):
        raise DataError(f"{place}: neither a JSON list nor an object")
    return value
