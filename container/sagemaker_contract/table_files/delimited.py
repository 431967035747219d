"""CSV and TSV, as RFC 4180 quotes them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from sagemaker_contract.cells import is_number
from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files.lines import MAX_LINE_BYTES, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sagemaker_contract.columns import Layout

    Row = tuple[str, list[str]]

MAX_ROW_CHARACTERS = MAX_LINE_BYTES
_NAMES = {",": "','", "\t": "a tab", ";": "';'", "|": "'|'"}


def read_delimited(file: Path, layout: Layout, separator: str) -> Iterator[Row]:
    """Every row that is not blank, without the header that the data contract declares.

    Raises:
        DataError: For a row that is not CSV, or has another number of columns, and for a header that is not declared.
    """
    for place, cells in _without_header(_rows(file, separator), layout):
        if len(cells) != layout.width:
            layout.check_width(place, len(cells), _hint(cells, separator))
        yield place, cells


def _without_header(rows: Iterator[Row], layout: Layout) -> Iterator[Row]:
    first, second = next(rows, None), next(rows, None)
    if first is None:
        return
    place, names = first
    if layout.columns.header:
        _check_header(place, names, layout)
    else:
        if second is not None and _looks_like_a_header(names, second[1], layout):
            raise DataError(
                f"{place}: looks like a header; remove it, or name the columns in a data contract with header=True"
            )
        yield first
    if second is not None:
        yield second
    yield from rows


def _rows(file: Path, separator: str) -> Iterator[Row]:
    """Each row that is not blank, with the place of its first line."""
    place, size = "", 0

    def lines() -> Iterator[str]:
        nonlocal place, size
        for at, text in read_lines(file):
            place = at if size == 0 else place
            size += len(text)
            if size > MAX_ROW_CHARACTERS:
                raise DataError(
                    f"{place}: a row of more than {MAX_ROW_CHARACTERS} characters; is a quote that opens here not"
                    " closed?"
                )
            yield text

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    while True:
        size = 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{place}: {_explain(error)}") from None
        if cells is None:
            return
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield place, cells


def _explain(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text or "field larger" in text:
        return f"a quote that opens here is not closed ({text})"
    if "new-line" in text:
        return "a carriage return within the line; save the file with LF or CRLF line endings"
    return f"{text}; write a quote within a quoted cell twice"


def _hint(cells: Sequence[str], separator: str) -> str:
    """How to correct a row with another number of columns."""
    if len(cells) > 1:
        return f"; put cells that contain {_NAMES[separator]} in quotes"
    other = next((one for one in _NAMES if one != separator and one in cells[0]), None)
    return "" if other is None else f"; this line seems to be separated by {_NAMES[other]}"


def _check_header(place: str, found: Sequence[str], layout: Layout) -> None:
    for index, name in enumerate(layout.names or ()):
        got = found[index].strip() if index < len(found) else None
        if got != name:
            there = "there is none" if got is None else f"the header says {got!r}"
            raise DataError(f"{place}, column {index + 1}: must be {name!r}, but {there}")
    layout.check_width(place, len(found))


def _looks_like_a_header(first: Sequence[str], second: Sequence[str], layout: Layout) -> bool:
    if layout.columns.names is not None and tuple(name.strip() for name in first) == layout.columns.names:
        return True
    return not any(map(is_number, first)) and len(second) > 1 and all(map(is_number, second[1:]))
