"""The head of a CSV file: what can be told from it before training costs anything.

The form is SageMaker's: no header, the label in the first column.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from handler_kit.errors import ConfigurationError


@dataclass(frozen=True)
class Table:
    """The rows of the sampled head, without blank lines."""

    rows: list[list[str]]

    @property
    def labels(self) -> set[str]:
        """The distinct values of the first column."""
        return {row[0] for row in self.rows}

    def spread(self, count: int) -> list[list[str]]:
        """At most ``count`` rows, evenly spread: a file sorted by label then gives every label its chance."""
        step = max(len(self.rows) / count, 1.0)
        return [self.rows[int(index * step)] for index in range(min(count, len(self.rows)))]


def parse_table(head: bytes, place: str, *, truncated: bool) -> Table:
    """Read and check a head; ``truncated`` says that the file goes on after it.

    Raises ConfigurationError naming the place, the line and the column.
    """
    if truncated:
        head = _whole_lines(head, place)
    text = _decode(head, place)
    numbered = _rows(text, place)
    if truncated:
        # A quoted value may hold the line break at which the head was cut.
        del numbered[-1:]
    _check_shape(numbered, place)
    _check_header(numbered, place)
    return Table([row for _, row in numbered])


def check_training_table(table: Table, place: str) -> None:
    """Check that there is something to learn. Raises ConfigurationError naming the place and the column."""
    if len(table.rows) < 2:
        raise ConfigurationError(f"{place}: only 1 row; a training set needs at least 2")
    if len(table.labels) < 2:
        raise ConfigurationError(
            f"{place}, column 1: every sampled label is {table.labels.pop()!r}; training needs at"
            " least 2 classes (the label must be the first column; shuffle a file that is sorted by label)"
        )


def _whole_lines(head: bytes, place: str) -> bytes:
    end = head.rfind(b"\n")
    if end < 0:
        raise ConfigurationError(f"{place}, line 1: longer than {len(head)} bytes; is this a CSV file?")
    return head[: end + 1]


def _decode(head: bytes, place: str) -> str:
    if (nul := head.find(b"\0")) >= 0:
        raise ConfigurationError(f"{place}, {_position(head, nul)}: a NUL byte; is this a CSV file in UTF-8?")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from after a byte order mark.
        offset = error.start + (3 if head.startswith(b"\xef\xbb\xbf") else 0)
        raise ConfigurationError(
            f"{place}, {_position(head, offset)}: byte 0x{head[offset]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def _position(head: bytes, offset: int) -> str:
    line_start = head.rfind(b"\n", 0, offset) + 1
    line = head.count(b"\n", 0, offset) + 1
    column = head.count(b",", line_start, offset) + 1
    return f"line {line}, column {column}"


def _rows(text: str, place: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ConfigurationError(f"{place}, line {reader.line_num}: {error}") from None


def _check_shape(numbered: list[tuple[int, list[str]]], place: str) -> None:
    if not numbered:
        raise ConfigurationError(f"{place}: no rows")
    first_line, first = numbered[0]
    if len(first) < 2:
        raise ConfigurationError(
            f"{place}, line {first_line}: 1 column; the label and at least one feature are needed, split by ','"
        )
    for line, row in numbered:
        if len(row) != len(first):
            raise ConfigurationError(
                f"{place}, line {line}: {len(row)} columns, but line {first_line} has {len(first)}"
            )
        if not row[0].strip():
            raise ConfigurationError(f"{place}, line {line}, column 1: the label is empty")


def _check_header(numbered: list[tuple[int, list[str]]], place: str) -> None:
    if len(numbered) < 2:
        return
    (line, first), (_, second) = numbered[:2]
    if not any(map(_is_number, first)) and all(map(_is_number, second[1:])):
        raise ConfigurationError(f"{place}, line {line}: looks like a header; remove it, the form has none")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
