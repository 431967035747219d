"""Checks of the rows of a data set before training costs anything: CSV, TSV, JSON and NumPy arrays.

The format of CSV is SageMaker's: no header, and the label in the first column, unless a contract says otherwise.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from check_dataset.contract import Contract, shown
from check_dataset.faults import Faults
from check_dataset.formats import DELIMITED, JSON_ARRAY, JSON_LINES
from check_dataset.json_array import JsonArray
from check_dataset.json_rows import json_lines, json_rows
from check_dataset.numbers import MAX_FLOAT32, NumberColumns, too_large
from check_dataset.numpy_file import NumpyFile
from check_dataset.text_rows import text_rows
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from check_dataset.content import Content
    from check_dataset.formats import Format

KEPT_ROWS = 512
# A few wide rows instead of many: they are needed for golden records only.
KEPT_CHARACTERS = 4 * 1024 * 1024
# A label with more values is a quantity, not a class.
MAX_CLASSES = 1000
MAX_LABEL_CHARACTERS = 1024 * 1024
_LEAST_ROWS = 32
_NOTHING = Contract()


@dataclass
class Table:
    """The rows of one file that were inspected.

    Attributes:
        place: The name of the file in messages.
        width: Number of its columns; 0 when its rows have names instead that no contract declares.
        count: Number of rows.
        labels: Number of rows for each label; no new labels are added after ``MAX_CLASSES``.
        truncated: Whether the file has more rows.
    """

    place: str
    width: int = 0
    count: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    truncated: bool = False
    # One text for each row: as a list of cells, a wide row needs 17 times the memory. No cell contains a NUL.
    _kept: list[str] = field(default_factory=list)
    _characters: int = 0
    _label_characters: int = 0
    _step: int = 1

    @property
    def kept(self) -> list[list[str]]:
        """Rows evenly spread over a CSV file, less than twice ``KEPT_ROWS``."""
        return [row.split("\0") for row in self._kept]

    @property
    def keeps_rows(self) -> bool:
        """Whether there are such rows."""
        return bool(self._kept)

    def add(self, label: str | None, row: Sequence[str] | None) -> None:
        """Count one more row, and keep it if it is one of the evenly spread rows."""
        if row is not None and self.count % self._step == 0:
            self._keep("\0".join(row))
        self.count += 1
        if label is not None and (label in self.labels or self._has_room_for_label()):
            self._label_characters += 0 if label in self.labels else len(label)
            self.labels[label] += 1

    def spread(self, count: int) -> list[list[str]]:
        """At most ``count`` rows, evenly spread, so that the rows of a file sorted by label have different labels."""
        step = max(len(self._kept) / count, 1.0)
        return [self._kept[int(index * step)].split("\0") for index in range(min(count, len(self._kept)))]

    def forget_rows(self) -> None:
        """Free the memory of the rows that were kept."""
        self._kept.clear()

    def _keep(self, row: str) -> None:
        self._kept.append(row)
        self._characters += len(row)
        wide = self._characters > KEPT_CHARACTERS and len(self._kept) >= 2 * _LEAST_ROWS
        if wide or len(self._kept) == 2 * KEPT_ROWS:
            self._kept, self._step = self._kept[::2], self._step * 2
            self._characters = sum(map(len, self._kept))

    def _has_room_for_label(self) -> bool:
        return len(self.labels) <= MAX_CLASSES and self._label_characters <= MAX_LABEL_CHARACTERS


def read_table(content: Content, format_: Format, contract: Contract = _NOTHING) -> Table | None:
    """Inspect a file; ``None`` when what it contains is no table: another JSON document, an array of pictures.

    Raises ConfigurationError that names the object, the line and the column.
    """
    table, rows = Table(content.place), _Rows(content.place, format_.unit, contract)
    if format_.kind == DELIMITED:
        rows.read_texts(text_rows(content, contract, format_.separator), table)
    elif format_.kind == JSON_LINES:
        rows.read_values(json_rows(content.place, json_lines(content), contract, format_.unit), table)
    elif format_.kind == JSON_ARRAY:
        array = JsonArray(content)
        if not array.is_table():
            return None
        rows.read_values(json_rows(content.place, array.records(), contract, format_.unit), table)
    else:
        file = NumpyFile(content)
        if not file.is_table():
            return None
        rows.read_array(file, table)
    if table.count == 0:
        raise ConfigurationError(f"{content.place}: no rows; upload a file with records")
    table.truncated = content.truncated
    return table


@dataclass(frozen=True)
class _Rows:
    """Reads the rows of a file into a table."""

    place: str
    unit: str
    contract: Contract

    def read_texts(self, rows: Iterable[tuple[int, list[str]]], table: Table) -> None:
        """Rows of texts."""
        contract, faults = self.contract, Faults(self.place, self.unit)
        numbers: NumberColumns | None = None
        for number, row in rows:
            label = row[contract.label_index].strip()
            if not label:
                place = f"{self.place}, {self.unit} {number}, column {contract.label_index + 1}"
                raise ConfigurationError(f"{place}: the label is empty; fill it in, or remove the row")
            for index, column in enumerate(contract.columns):
                problem = column.problem_of_text(row[index]) or _size(row[index], index, contract)
                faults.check(number, index, column, problem)
            if not contract.columns:
                numbers = numbers or NumberColumns(len(row))
                numbers.add(number, row)
            table.width = len(row)
            table.add(label, row)
        faults.raise_any()
        if numbers is not None and (found := numbers.first_too_large()) is not None:
            number, index, text = found
            place = f"{self.place}, {self.unit} {number}, column {index + 1}"
            raise ConfigurationError(f"{place}: {_too_large(text)}")

    def read_values(self, rows: Iterable[tuple[int, Sequence[str] | None, list[Any]]], table: Table) -> None:
        """Rows of typed values, with the names of their columns, if they have any."""
        contract, faults = self.contract, Faults(self.place, self.unit)
        for number, names, cells in rows:
            label, place = None, f"{self.place}, {self.unit} {number}"
            # Without a contract, nothing says which member of an object is the label.
            if names is None or contract.columns:
                label = _label_of(cells[contract.label_index], place, contract)
                table.width = len(cells)
            for index, column in enumerate(contract.columns):
                cell = cells[index]
                faults.check(number, index, column, column.problem_of_value(cell) or _size(cell, index, contract))
            if not contract.columns:
                _check_sizes(place, cells, names)
            table.add(label, None)
        faults.raise_any()

    def read_array(self, file: NumpyFile, table: Table) -> None:
        """The rows of an array. Without a contract they are only counted: they may be features, labels, or both."""
        columns = self.contract.columns
        if columns and file.width != len(columns):
            names = ", ".join(self.contract.names)[:300]
            raise ConfigurationError(
                f"{self.place}: {file.width} columns, but the contract has {len(columns)} ({names})"
            )
        if not columns:
            for _ in file.rows():
                table.add(None, None)
        elif file.is_text:
            self.read_texts(file.rows(), table)
        else:
            self.read_values(((number, None, cells) for number, cells in file.rows()), table)


def _label_of(value: Any, place: str, contract: Contract) -> str:
    """The label as training reads it. Raises ConfigurationError when it is missing, or neither text nor number."""
    label = str(value).strip()
    known = isinstance(value, (str, int, float)) and not (isinstance(value, float) and not math.isfinite(value))
    if known and label and "\0" not in label:
        return label
    problem = "the label is missing" if value is None or not label else f"{shown(value)} is not a label"
    raise ConfigurationError(
        f"{place}, column {contract.label_index + 1}: {problem}; write a text or a number, or remove the row"
    )


def _check_sizes(place: str, cells: Sequence[Any], names: Sequence[str] | None) -> None:
    for index, cell in enumerate(cells[1:], start=1):
        if too_large(cell) and not isinstance(cell, str):
            name = "" if names is None else f" ({names[index]})"
            raise ConfigurationError(f"{place}, column {index + 1}{name}: {_too_large(cell)}")


def _size(cell: Any, index: int, contract: Contract) -> str | None:
    """What is wrong with the size of a feature; a label can be of any size."""
    feature = index != contract.label_index and contract.columns[index].type in ("number", "integer")
    return _too_large(cell) if feature and too_large(cell) else None


def _too_large(cell: Any) -> str:
    return f"{shown(cell)} is beyond 32-bit floating point (at most {MAX_FLOAT32:.4g}); scale the column"
