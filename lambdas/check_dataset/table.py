"""Checks of the rows of a data set before training costs anything: CSV and JSON Lines.

The format of CSV is SageMaker's: no header, and the label in the first column, unless a contract says otherwise.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from check_dataset.contract import Contract
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_dataset.content import Content
    from check_dataset.contract import Column

KEPT_ROWS = 512
# A label with more values is a quantity, not a class.
MAX_CLASSES = 1000
_NOTHING = Contract()


@dataclass
class Table:
    """The rows of one file that were inspected.

    Attributes:
        place: The name of the file in messages.
        width: Number of its columns; 0 when its rows have names instead (JSON Lines).
        count: Number of rows.
        labels: Number of rows for each label; no new labels are added after ``MAX_CLASSES``.
        kept: Rows evenly spread over the file, less than twice ``KEPT_ROWS``.
        truncated: Whether the file has more rows.
    """

    place: str
    width: int = 0
    count: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    kept: list[list[str]] = field(default_factory=list)
    truncated: bool = False
    _step: int = 1

    def add(self, label: str, row: list[str]) -> None:
        """Count one more row, and keep it if it is one of the evenly spread rows."""
        if self.count % self._step == 0:
            self.kept.append(row)
            if len(self.kept) == 2 * KEPT_ROWS:
                self.kept, self._step = self.kept[::2], self._step * 2
        self.count += 1
        if label in self.labels or len(self.labels) <= MAX_CLASSES:
            self.labels[label] += 1

    def spread(self, count: int) -> list[list[str]]:
        """At most ``count`` rows, evenly spread, so that the rows of a file sorted by label have different labels."""
        step = max(len(self.kept) / count, 1.0)
        return [self.kept[int(index * step)] for index in range(min(count, len(self.kept)))]


class Faults:
    """The first wrong value of each column, and how many more there are."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: dict[int, list[Any]] = {}

    def check(self, line: int, index: int, column: Column, problem: str | None) -> None:
        """Record what is wrong with a value."""
        if problem is None:
            return
        if index in self._found:
            self._found[index][1] += 1
        else:
            self._found[index] = [f"{self._place}, line {line}, column {index + 1} ({column.name}): {problem}", 0]

    def raise_any(self) -> None:
        """Raise ConfigurationError with the wrong values, if there are any."""
        if self._found:
            lines = [f"{text} (and {more} more)" if more else text for _, (text, more) in sorted(self._found.items())]
            more = f"; and {len(lines) - 10} more columns" if len(lines) > 10 else ""
            raise ConfigurationError("; ".join(lines[:10]) + more)


def read_csv(content: Content, contract: Contract = _NOTHING) -> Table:
    """Inspect a CSV file. Raises ConfigurationError that names the object, the line and the column."""
    table = Table(content.place, truncated=content.truncated)
    faults = Faults(content.place)
    first_line = 0
    for line, row in _without_header(content, contract):
        if table.count == 0:
            first_line, table.width = line, len(row)
            _check_first(content.place, line, row, contract)
        elif len(row) != table.width:
            raise ConfigurationError(
                f"{content.place}, line {line}: {len(row)} columns, but line {first_line} has {table.width}"
            )
        label = row[contract.label_index]
        if not label.strip():
            raise ConfigurationError(
                f"{content.place}, line {line}, column {contract.label_index + 1}: the label is empty"
            )
        for index, column in enumerate(contract.columns):
            faults.check(line, index, column, column.problem_of_text(row[index]))
        table.add(label, row)
    faults.raise_any()
    if table.count == 0:
        raise ConfigurationError(f"{content.place}: no rows")
    return table


def read_json_lines(content: Content, contract: Contract = _NOTHING) -> Table:
    """Inspect a JSON Lines file, one object per line. Raises ConfigurationError that names the line and the column."""
    table = Table(content.place, truncated=content.truncated)
    faults = Faults(content.place)
    names = contract.names
    for line, text in enumerate(content.lines(), start=1):
        if not text.strip():
            continue
        value = _json_object(content.place, line, text)
        if names and (unknown := value.keys() - set(names)):
            raise ConfigurationError(
                f"{content.place}, line {line}: the contract has no column {', '.join(sorted(unknown))[:200]}"
            )
        for index, column in enumerate(contract.columns):
            faults.check(line, index, column, column.problem_of_value(value.get(column.name)))
        table.add(str(value.get(names[contract.label_index])) if names else "", [])
    faults.raise_any()
    if table.count == 0:
        raise ConfigurationError(f"{content.place}: no rows")
    return table


def _without_header(content: Content, contract: Contract) -> Iterator[tuple[int, list[str]]]:
    """The rows of data, without the header when the contract has one; otherwise a header is refused."""
    rows = _rows(content)
    first, second = next(rows, None), next(rows, None)
    if first is None:
        return
    line, names = first
    if contract.header:
        _check_header(content.place, line, names, contract)
    else:
        if second is not None and _looks_like_a_header(names, second[1], contract):
            raise ConfigurationError(
                f"{content.place}, line {line}: looks like a header; remove it, because the format has none"
            )
        yield first
    if second is not None:
        yield second
    yield from rows


def _rows(content: Content) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its first line, without the row in which the budget ends."""
    reader = csv.reader(content.lines(), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            if content.truncated and "unexpected end" in str(error):
                return
            raise ConfigurationError(f"{content.place}, line {line}: {_explain(error)}") from None
        if row is None:
            return
        if row:
            yield line, row


def _explain(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text or "field larger" in text:
        return f"a quote that opens here is not closed ({text})"
    if "new-line" in text:
        return "a carriage return within the line; save the file with LF or CRLF line endings"
    return text


def _check_first(place: str, line: int, row: list[str], contract: Contract) -> None:
    if contract.columns:
        if len(row) != len(contract.columns):
            names = ", ".join(contract.names)[:300]
            raise ConfigurationError(
                f"{place}, line {line}: {len(row)} columns, but the contract has {len(contract.columns)} ({names})"
            )
    elif len(row) < 2:
        raise ConfigurationError(
            f"{place}, line {line}: 1 column; the label and at least one feature are needed, separated by ','"
        )


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
    return not any(map(_is_number, first)) and len(second) > 1 and all(map(_is_number, second[1:]))


def _json_object(place: str, line: int, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{place}, line {line}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{place}, line {line}: must be a JSON object")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
