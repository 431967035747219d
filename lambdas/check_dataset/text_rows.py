"""The rows of a CSV or TSV file, as RFC 4180 quotes them, without the header that a data contract declares."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from check_dataset.content import MAX_LINE_BYTES
from check_dataset.numbers import is_number
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_dataset.content import Content
    from check_dataset.contract import Contract

# A row of many lines costs about 17 times its size in memory while it is read.
MAX_ROW_CHARACTERS = MAX_LINE_BYTES
_NAMES = {",": "','", "\t": "a tab", ";": "';'", "|": "'|'"}


def text_rows(content: Content, contract: Contract, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its first line; all rows have as many cells as the contract or the first row.

    Raises ConfigurationError that names the object, the line and the column.
    """
    place, first_line, width = content.place, 0, 0
    for line, row in _without_header(content, contract, separator):
        if not width:
            first_line, width = line, len(row)
            _check_first(place, line, row, contract, separator)
        elif len(row) != width:
            raise ConfigurationError(
                f"{place}, line {line}: {len(row)} columns, but line {first_line} has {width}; put cells that contain"
                f" {_NAMES[separator]} in quotes"
            )
        yield line, row


def _without_header(content: Content, contract: Contract, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of data, without the header when the contract has one; otherwise a header is refused."""
    rows = _rows(content, separator)
    first, second = next(rows, None), next(rows, None)
    if first is None:
        return
    line, names = first
    if contract.header:
        _check_header(content.place, line, names, contract)
    else:
        if second is not None and _looks_like_a_header(names, second[1], contract):
            raise ConfigurationError(
                f"{content.place}, line {line}: looks like a header; remove it, because the format has none, or name"
                " the columns in a data contract with header=True"
            )
        yield first
    if second is not None:
        yield second
    yield from rows


def _rows(content: Content, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, without the row in which the budget ends."""
    size = 0
    line = 1

    def lines() -> Iterator[str]:
        nonlocal size
        for text in content.lines(separator):
            size += len(text)
            if size > MAX_ROW_CHARACTERS:
                raise ConfigurationError(
                    f"{content.place}, line {line}: a row of more than {MAX_ROW_CHARACTERS} characters; is a quote"
                    " that opens here not closed?"
                )
            yield text

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    while True:
        line, size = reader.line_num + 1, 0
        try:
            row = next(reader, None)
        except csv.Error as error:
            if content.truncated and "unexpected end" in str(error):
                return
            raise ConfigurationError(f"{content.place}, line {line}: {_explain(error)}") from None
        if row is None:
            return
        if len(row) > 1 or (row and row[0].strip()):
            yield line, row


def _explain(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text or "field larger" in text:
        return f"a quote that opens here is not closed ({text})"
    if "new-line" in text:
        return "a carriage return within the line; save the file with LF or CRLF line endings"
    return f"{text}; write a quote within a quoted cell twice"


def _check_first(place: str, line: int, row: list[str], contract: Contract, separator: str) -> None:
    if contract.columns:
        if len(row) != len(contract.columns):
            names = ", ".join(contract.names)[:300]
            raise ConfigurationError(
                f"{place}, line {line}: {len(row)} columns, but the contract has {len(contract.columns)} ({names})"
                f"{_other_separator(row, separator)}"
            )
    elif len(row) < 2:
        raise ConfigurationError(
            f"{place}, line {line}: 1 column; the label and at least one feature are needed, separated by"
            f" {_NAMES[separator]}{_other_separator(row, separator)}"
        )


def _other_separator(row: list[str], separator: str) -> str:
    other = next((one for one in _NAMES if one != separator and one in row[0]), None) if len(row) == 1 else None
    return "" if other is None else f"; this line seems to be separated by {_NAMES[other]}"


def _check_header(place: str, line: int, found: list[str], contract: Contract) -> None:
    for index, name in enumerate(contract.names):
        got = found[index].strip() if index < len(found) else None
        if got != name:
            there = "there is none" if got is None else f"the header says {got!r}"
            raise ConfigurationError(f"{place}, line {line}, column {index + 1}: must be {name!r}, but {there}")
    if len(found) > len(contract.columns):
        raise ConfigurationError(
            f"{place}, line {line}: {len(found)} columns, but the contract has {len(contract.columns)}"
        )


def _looks_like_a_header(first: list[str], second: list[str], contract: Contract) -> bool:
    if contract.columns and [name.strip() for name in first] == contract.names:
        return True
    return not any(map(is_number, first)) and len(second) > 1 and all(map(is_number, second[1:]))
