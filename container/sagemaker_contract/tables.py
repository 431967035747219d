"""Labelled tables: reading, checking and dividing the training data."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import NotANumberError, check_float32, shown
from sagemaker_contract.columns import Columns, Layout
from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sagemaker_contract.table_files import ParseNumbers


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one channel: ``features`` is rows x columns, ``labels`` has one text per row.

    ``names`` are those of the feature columns, if they have any.
    """

    channel: str
    features: NDArray[np.float64]
    labels: NDArray[np.str_]
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: NDArray[np.bool_], channel: str) -> Table:
        """The rows where ``chosen`` is true, as a table with the name ``channel``."""
        return Table(channel, self.features[chosen], self.labels[chosen], self.names)


def read_labelled(channel: str, files: Sequence[Path], columns: Columns | None = None) -> Table:
    """Read CSV, TSV, JSON Lines and Parquet files as one table.

    The label is the column that the data contract of the pipeline names, by default the first one. Columns with names
    have the order of the contract, by default of the first file. ``columns`` replaces what the pipeline passes.

    Raises:
        DataError: For a file that cannot be read, a row with other columns, a missing label, or a feature that is not a
            finite number in 32-bit floating point.
    """
    layout = Layout(Columns.from_env() if columns is None else columns)
    labels: list[str] = []
    features = array("d")
    for file in files:
        rows_before = len(labels)
        rows, numbers_of = read_file(file, layout)
        for place, cells in rows:
            labels.append(_label(place, cells.pop(layout.label_index), layout))
            features.extend(_features(place, cells, layout, numbers_of))
        if len(labels) == rows_before:
            raise DataError(f"{file.name} is empty; remove it, or write a record in each line")
    table = np.frombuffer(features).reshape(len(labels), layout.width - 1)
    return Table(channel, table, np.array(labels), layout.feature_names)


def check_classes(table: Table) -> None:
    """Reject a table with a single row or only one class: nothing can be learned from it."""
    if len(table) < 2:
        raise DataError(f"the channel {table.channel!r} contains a single row; at least two are needed")
    classes = np.unique(table.labels)
    if len(classes) < 2:
        label = shown(str(classes[0]))
        raise DataError(f"the channel {table.channel!r} has only one class: {label} in all {len(table)} rows")


def check_same_shape(train: Table, validation: Table) -> None:
    """Reject validation data with other columns, or with labels that are not in the training data."""
    wanted, got = train.features.shape[1], validation.features.shape[1]
    if wanted != got:
        raise DataError(f"the channel 'validation' has {got} feature columns, 'train' has {wanted}")
    if train.names and validation.names and train.names != validation.names:
        raise DataError(
            f"the channel 'validation' has the columns {', '.join(validation.names)[:200]}, but 'train' has"
            f" {', '.join(train.names)[:200]}; write them in the same order, or name them in a data contract"
        )
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


def _label(place: str, cell: Any, layout: Layout) -> str:
    label = "" if cell is None else str(cell).strip()
    if label and "\0" not in label and isinstance(cell, (str, int, float, Decimal)) and _is_finite(cell):
        return label
    problem = f"{shown(str(cell))} is no label" if label else "the label is missing"
    remedy = "write a text or a number, or remove the row"
    raise DataError(f"{place}, {layout.name_of(layout.label_index)}: {problem}; {remedy}")


def _is_finite(label: str | float | Decimal) -> bool:
    return not isinstance(label, (float, Decimal)) or math.isfinite(label)


def _features(place: str, cells: Sequence[Any], layout: Layout, numbers_of: ParseNumbers) -> list[float]:
    try:
        numbers = numbers_of(cells)
        check_float32(numbers)
    except NotANumberError as error:
        column = layout.name_of(error.index + (error.index >= layout.label_index))
        raise DataError(f"{place}, {column}: {error}; {error.remedy}") from None
    return numbers
