"""Read training data with columns of text, as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import shown
from sagemaker_contract.columns import Columns, Layout
from sagemaker_contract.errors import DataError
from sagemaker_contract.frames import NUMBER, TEXT, Field, Frame, number_of, text_of, to_cells
from sagemaker_contract.labels import class_of, target_of
from sagemaker_contract.table_files import read_file

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    Rows = list[tuple[str, list[Any]]]


def read_frame(
    channel: str,
    files: Sequence[Path],
    columns: Columns | None = None,
    *,
    numbers: bool = False,
    text: Collection[str] = (),
    like: Frame | None = None,
) -> Frame:
    """Read CSV, TSV, JSON Lines and Parquet files as one frame, whose columns may have text and missing cells.

    Args:
        channel: Name of the channel.
        files: Its files.
        columns: Replaces what the pipeline passes of its data contract.
        numbers: Whether the labels are numbers to predict, and not the names of classes.
        text: Names of columns that have text even if all of it looks like numbers, such as postcodes.
        like: The training data, whose columns the frame gets. Without it, a column has numbers if all its cells are
            numbers or missing, and text otherwise.

    Raises:
        DataError: For a file that cannot be read, a row with other columns, a label that is missing or not a number
            where it must be one, and a text in a column of numbers.
    """
    layout = Layout(Columns.from_env() if columns is None else columns, takes_text=True)
    label_of = target_of if numbers else class_of
    labels: list[Any] = []
    rows: Rows = []
    for file in files:
        before = len(rows)
        for place, cells in read_file(file, layout)[0]:
            labels.append(label_of(place, cells.pop(layout.label_index), layout))
            rows.append((place, cells))
        if len(rows) == before:
            raise DataError(f"{file.name} is empty; remove it, or write a record in each line")
    fields = _fields(rows, _names(layout), text) if like is None else _same_fields(channel, like, layout)
    return Frame(fields, _cells(rows, fields, layout), np.array(labels), channel)


def _names(layout: Layout) -> tuple[str, ...]:
    if layout.feature_names is not None:
        return layout.feature_names
    return tuple(f"column_{index + 1}" for index in range(layout.width) if index != layout.label_index)


def _fields(rows: Rows, names: Sequence[str], text: Collection[str]) -> tuple[Field, ...]:
    if unknown := sorted({*text} - {*names}):
        raise DataError(f"there is no column {', '.join(unknown)}; the columns are {', '.join(names)[:300]}")

    def kind(index: int, name: str) -> str:
        is_text = name in text or any(number_of(cells[index]) is None for _, cells in rows)
        return TEXT if is_text else NUMBER

    return tuple(Field(name, kind(index, name)) for index, name in enumerate(names))


def _same_fields(channel: str, like: Frame, layout: Layout) -> tuple[Field, ...]:
    names = _names(layout)
    if len(names) != like.width:
        raise DataError(f"the channel {channel!r} has {len(names)} feature columns, 'train' has {like.width}")
    if layout.names is not None and names != like.names:
        raise DataError(
            f"the channel {channel!r} has the columns {', '.join(names)[:200]}, but 'train' has"
            f" {', '.join(like.names)[:200]}; write them in the same order, or name them in a data contract"
        )
    return like.fields


def _cells(rows: Rows, fields: Sequence[Field], layout: Layout) -> Any:
    parsed = []
    for place, cells in rows:
        values = [
            (number_of if field.kind == NUMBER else text_of)(cell) for field, cell in zip(fields, cells, strict=True)
        ]
        if None in values:
            index = values.index(None)
            wanted = "a number, as in 'train'" if fields[index].kind == NUMBER else "a text"
            column = layout.name_of(index + (index >= layout.label_index))
            raise DataError(f"{place}, {column}: {shown(str(cells[index]))} is not {wanted}")
        parsed.append(values)
    return to_cells(parsed, len(fields))
