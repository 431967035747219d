"""Labelled tables: reading, checking and dividing the training data."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from sagemaker_contract.cells import NotANumberError, check_float32, is_number, shown
from sagemaker_contract.columns import Columns, Layout
from sagemaker_contract.errors import DataError
from sagemaker_contract.labels import class_of, target_of
from sagemaker_contract.table_files import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sagemaker_contract.table_files import ParseNumbers

# Numbers are taken for the names of classes where there are few of them, or each is in several rows.
_FEW_CLASSES = 20
_ROWS_PER_CLASS = 3
_HINT = (
    "this algorithm tells classes apart; to predict numbers, use read_labelled(..., numbers=True) and a regression, as"
    " in mlops init --task regression"
)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one channel: ``features`` is rows x columns, ``labels`` has one text per row, or one number.

    ``names`` are those of the feature columns, if they have any.
    """

    channel: str
    features: NDArray[np.float64]
    labels: NDArray[Any]
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def width(self) -> int:
        """Number of columns, without the label."""
        return int(self.features.shape[1])

    @property
    def has_numbers(self) -> bool:
        """Whether the labels are numbers to predict, and not the names of classes."""
        return self.labels.dtype.kind == "f"

    def rows(self, chosen: NDArray[np.bool_], channel: str) -> Table:
        """The rows where ``chosen`` is true, as a table with the name ``channel``."""
        return Table(channel, self.features[chosen], self.labels[chosen], self.names)


def read_labelled(
    channel: str, files: Sequence[Path], columns: Columns | None = None, *, numbers: bool = False
) -> Table:
    """Read CSV, TSV, JSON Lines and Parquet files as one table.

    The label is the column that the data contract of the pipeline names, by default the first one. Columns with names
    have the order of the contract, by default of the first file. ``columns`` replaces what the pipeline passes. With
    ``numbers``, the labels are numbers to predict, as in a regression; otherwise they are the names of classes.

    Raises:
        DataError: For a file that cannot be read, a row with other columns, a missing label, a feature that is not a
            finite number in 32-bit floating point, or with ``numbers`` a label that is not a finite number.
    """
    layout = Layout(Columns.from_env() if columns is None else columns)
    label_of = target_of if numbers else class_of
    labels: list[Any] = []
    features = array("d")
    for file in files:
        rows_before = len(labels)
        rows, numbers_of = read_file(file, layout)
        for place, cells in rows:
            labels.append(label_of(place, cells.pop(layout.label_index), layout))
            features.extend(_features(place, cells, layout, numbers_of))
        if len(labels) == rows_before:
            raise DataError(f"{file.name} is empty; remove it, or write a record in each line")
    table = np.frombuffer(features).reshape(len(labels), layout.width - 1)
    return Table(channel, table, np.array(labels), layout.feature_names)


class Labelled(Protocol):
    """What a table and a frame have in common."""

    @property
    def channel(self) -> str: ...

    @property
    def labels(self) -> NDArray[Any]: ...

    @property
    def names(self) -> tuple[str, ...] | None: ...

    @property
    def width(self) -> int: ...

    @property
    def has_numbers(self) -> bool: ...

    def __len__(self) -> int: ...

    def rows(self: AnyLabelled, chosen: NDArray[np.bool_], channel: str) -> AnyLabelled: ...


AnyLabelled = TypeVar("AnyLabelled", bound=Labelled)


def check_classes(table: Labelled) -> None:
    """Reject a table with a single row or only one class: nothing can be learned from it."""
    if len(table) < 2:
        raise DataError(f"the channel {table.channel!r} contains a single row; at least two are needed")
    classes = np.unique(table.labels)
    if len(classes) < 2:
        label = shown(str(classes[0]))
        what = "value" if table.has_numbers else "class"
        raise DataError(f"the channel {table.channel!r} has only one {what}: {label} in all {len(table)} rows")


def check_same_shape(train: Labelled, validation: Labelled) -> None:
    """Reject validation data with other columns, or with classes that are not in the training data."""
    wanted, got = train.width, validation.width
    if wanted != got:
        raise DataError(f"the channel 'validation' has {got} feature columns, 'train' has {wanted}")
    if train.names and validation.names and train.names != validation.names:
        raise DataError(
            f"the channel 'validation' has the columns {', '.join(validation.names)[:200]}, but 'train' has"
            f" {', '.join(train.names)[:200]}; write them in the same order, or name them in a data contract"
        )
    if train.has_numbers:
        return
    _check_names(train)
    unknown = np.setdiff1d(validation.labels, train.labels)
    if len(unknown):
        names = ", ".join(shown(str(label)) for label in unknown[:5])
        hint = f"; {_HINT}" if all(map(is_number, unknown.tolist())) else ""
        raise DataError(f"the channel 'validation' has labels that 'train' does not have: {names}{hint}")


def hold_out(table: AnyLabelled, fraction: float, seed: int) -> tuple[AnyLabelled, AnyLabelled]:
    """Divide a table at random by ``fraction``; the second part is for validation.

    Each class is divided by the same fraction, and the first part keeps every class. Labels that are numbers have no
    classes, so all their rows are divided together.

    Raises:
        DataError: If there are too few rows, or if the names of classes are numbers that hardly ever repeat.
    """
    if not table.has_numbers:
        _check_names(table)
    random = np.random.default_rng(seed)
    held = np.zeros(len(table), dtype=bool)
    for rows in _groups(table):
        chosen = min(max(round(len(rows) * fraction), table.has_numbers), len(rows) - 1)
        held[random.permutation(rows)[:chosen]] = True
    if not held.any():
        raise DataError(
            f"the channel {table.channel!r} has too few rows ({len(table)}{_classes(table)}) to hold some out for"
            " validation: add rows, or a channel 'validation'"
        )
    return table.rows(~held, table.channel), table.rows(held, "validation")


def _groups(table: Labelled) -> list[NDArray[np.intp]]:
    """The rows that are divided together."""
    if table.has_numbers:
        return [np.arange(len(table))]
    return [np.flatnonzero(table.labels == label) for label in np.unique(table.labels)]


def _classes(table: Labelled) -> str:
    return "" if table.has_numbers else f", in {len(np.unique(table.labels))} classes"


def _check_names(table: Labelled) -> None:
    """Reject numbers that hardly ever repeat, which are no names of classes."""
    classes = np.unique(table.labels).tolist()
    if len(classes) <= _FEW_CLASSES or not all(map(is_number, classes)):
        return
    whole = all(float(label).is_integer() for label in classes)
    if not whole or len(table) < _ROWS_PER_CLASS * len(classes):
        raise DataError(
            f"the channel {table.channel!r} has {len(classes)} different labels in {len(table)} rows, all of them"
            f" numbers; {_HINT}"
        )


def _features(place: str, cells: Sequence[Any], layout: Layout, numbers_of: ParseNumbers) -> list[float]:
    try:
        numbers = numbers_of(cells)
        check_float32(numbers)
    except NotANumberError as error:
        column = layout.name_of(error.index + (error.index >= layout.label_index))
        raise DataError(f"{place}, {column}: {error}; {error.remedy}") from None
    return numbers
