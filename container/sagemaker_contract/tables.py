"""Labelled tables: reading, checking and dividing the training data."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import NotANumberError, shown
from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one channel: ``features`` is rows x columns, ``labels`` has one text per row."""

    channel: str
    features: NDArray[np.float64]
    labels: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: NDArray[np.bool_], channel: str) -> Table:
        """The rows where ``chosen`` is true, as a table with the name ``channel``."""
        return Table(channel, self.features[chosen], self.labels[chosen])


def read_labelled(channel: str, files: Sequence[Path]) -> Table:
    """Read CSV, JSON Lines and Parquet files as one table; the label is in the first column.

    CSV has no header line. The order of JSON members and of Parquet columns matters, their names do not.

    Raises:
        DataError: For an empty or non-UTF-8 file, a row with another number of columns, a missing label, a feature
            that is not a finite number, or a single row.
    """
    labels: list[str] = []
    features = array("d")
    first_place, columns = "", 0
    for file in files:
        rows_before = len(labels)
        lines, numbers_of = read_file(file)
        for place, cells in lines:
            if not columns:
                first_place, columns = place, _columns(place, cells)
            elif len(cells) != columns:
                raise DataError(f"{place}: {len(cells)} columns, but {first_place} has {columns}")
            labels.append(_label(place, cells[0]))
            features.extend(_features(place, cells[1:], numbers_of))
        if len(labels) == rows_before:
            raise DataError(f"{file.name} is empty")
    if len(labels) == 1:
        raise DataError(f"the channel {channel!r} contains a single row; at least two are needed")
    return Table(channel, np.frombuffer(features).reshape(len(labels), columns - 1), np.array(labels))


def check_classes(table: Table) -> None:
    """Reject a table with only one class: nothing can be learned from it."""
    classes = np.unique(table.labels)
    if len(classes) < 2:
        label = shown(str(classes[0]))
        raise DataError(f"the channel {table.channel!r} has only one class: {label} in all {len(table)} rows")


def check_same_shape(train: Table, validation: Table) -> None:
    """Reject validation data with another number of columns, or with labels that are not in the training data."""
    wanted, got = train.features.shape[1], validation.features.shape[1]
    if wanted != got:
        raise DataError(f"the channel 'validation' has {got} feature columns, 'train' has {wanted}")
    unknown = np.setdiff1d(validation.labels, train.labels)
    if len(unknown):
        names = ", ".join(shown(str(label)) for label in unknown[:5])
        raise DataError(f"the channel 'validation' has labels that 'train' does not have: {names}")


def hold_out(table: Table, fraction: float, seed: int) -> tuple[Table, Table]:
    """Divide a table at random, each class by the same ``fraction``; the first part keeps every class."""
    random = np.random.default_rng(seed)
    held = np.zeros(len(table), dtype=bool)
    for label in np.unique(table.labels):
        rows = random.permutation(np.flatnonzero(table.labels == label))
        held[rows[: min(round(len(rows) * fraction), len(rows) - 1)]] = True
    if not held.any():
        raise DataError(
            f"the channel {table.channel!r} has too few rows ({len(table)}) to hold some out for validation: "
            "add rows, or a channel 'validation'"
        )
    return table.rows(~held, table.channel), table.rows(held, "validation")


def _columns(place: str, cells: Sequence[Any]) -> int:
    if len(cells) < 2:
        raise DataError(f"{place}: only one column; a label and at least one feature are needed")
    return len(cells)


def _label(place: str, cell: Any) -> str:
    label = "" if cell is None else str(cell).strip()
    if not label:
        raise DataError(f"{place}, column 1: the label is missing")
    return label


def _features(place: str, cells: Sequence[Any], numbers_of: Callable[[Sequence[Any]], list[float]]) -> list[float]:
    try:
        return numbers_of(cells)
    except NotANumberError as error:
        hint = " (the file must have no header line)" if place.endswith(" line 1") else ""
        raise DataError(f"{place}, column {error.index + 2}: {error}{hint}") from None
