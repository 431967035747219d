"""Labelled tables: reading, checking and dividing the training data."""

from __future__ import annotations

import csv
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sagemaker_contract.cells import NotANumberError, parse_numbers, shown
from sagemaker_contract.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one channel: ``features`` is rows x columns, ``labels`` has one text a row."""

    channel: str
    features: NDArray[np.float64]
    labels: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: NDArray[np.bool_], channel: str) -> Table:
        """The rows where ``chosen`` is true, under another name."""
        return Table(channel, self.features[chosen], self.labels[chosen])


def read_labelled_csv(channel: str, files: Sequence[Path]) -> Table:
    """Read CSV files without a header line, the label in the first column, as one table.

    Raises:
        DataError: For an empty or non-UTF-8 file, a row of another width, a missing label, a feature that is
            no finite number, or a single row.
    """
    labels: list[str] = []
    features = array("d")
    first_place, columns = "", 0
    for file in files:
        rows_before = len(labels)
        for line, cells in _lines(file):
            place = f"{file.name} line {line}"
            if not columns:
                first_place, columns = place, _columns(place, cells)
            elif len(cells) != columns:
                raise DataError(f"{place}: {len(cells)} columns, but {first_place} has {columns}")
            labels.append(_label(place, cells[0]))
            features.extend(_features(place, line, cells[1:]))
        if len(labels) == rows_before:
            raise DataError(f"{file.name} is empty")
    if len(labels) == 1:
        raise DataError(f"the channel {channel!r} holds a single row; at least two are needed")
    return Table(channel, np.frombuffer(features).reshape(len(labels), columns - 1), np.array(labels))


def check_classes(table: Table) -> None:
    """Refuse a table with one class only: nothing can be learned from it."""
    classes = np.unique(table.labels)
    if len(classes) < 2:
        label = shown(str(classes[0]))
        raise DataError(f"the channel {table.channel!r} has one class only: {label} in all {len(table)} rows")


def check_same_shape(train: Table, validation: Table) -> None:
    """Refuse validation data with other columns, or with labels that training never shows."""
    wanted, got = train.features.shape[1], validation.features.shape[1]
    if wanted != got:
        raise DataError(f"the channel 'validation' has {got} feature columns, 'train' has {wanted}")
    unknown = np.setdiff1d(validation.labels, train.labels)
    if len(unknown):
        names = ", ".join(shown(str(label)) for label in unknown[:5])
        raise DataError(f"the channel 'validation' has labels that 'train' never shows: {names}")


def hold_out(table: Table, fraction: float, seed: int) -> tuple[Table, Table]:
    """Divide a table at random, each class by the same ``fraction``; the first keeps every class."""
    random = np.random.default_rng(seed)
    held = np.zeros(len(table), dtype=bool)
    for label in np.unique(table.labels):
        rows = random.permutation(np.flatnonzero(table.labels == label))
        held[rows[: min(round(len(rows) * fraction), len(rows) - 1)]] = True
    if not held.any():
        raise DataError(
            f"the channel {table.channel!r} has too few rows ({len(table)}) to hold some out for validation: "
            "give more, or a channel 'validation'"
        )
    return table.rows(~held, table.channel), table.rows(held, "validation")


def _lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that is not blank."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            for cells in reader:
                if cells and (len(cells) > 1 or cells[0].strip()):
                    yield reader.line_num, cells
        except UnicodeDecodeError:
            raise DataError(f"{file.name} line {_first_undecodable_line(file)}: not UTF-8 text") from None
        except csv.Error as error:
            raise DataError(f"{file.name} line {reader.line_num + 1}: {error}") from error


def _first_undecodable_line(file: Path) -> int:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError:
                return number
    raise AssertionError(f"{file} decodes by line but not as a whole")


def _columns(place: str, cells: list[str]) -> int:
    if len(cells) < 2:
        raise DataError(f"{place}: one column only; a label and at least one feature are needed")
    return len(cells)


def _label(place: str, cell: str) -> str:
    label = cell.strip()
    if not label:
        raise DataError(f"{place}, column 1: the label is missing")
    return label


def _features(place: str, line: int, cells: list[str]) -> list[float]:
    try:
        return parse_numbers(cells)
    except NotANumberError as error:
        hint = " (the file must have no header line)" if line == 1 else ""
        raise DataError(f"{place}, column {error.index + 2}: {error}{hint}") from None
