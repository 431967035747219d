"""Read large CSV bodies in blocks, with pyarrow if it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.records import from_array, from_rows, text_blocks, text_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from sagemaker_contract.formats.limits import Limits
    from sagemaker_contract.formats.records import Records

    RowsOf = Callable[[list[str], int], list[list[float]]]

# Per column, pyarrow takes as long as for a thousand values, and 4 kB.
_COLUMNS_OF_ARROW = 256
_MOST_COLUMNS = 1_000_000


def read_blocks(body: bytes, limits: Limits, rows_of: RowsOf) -> Records:
    """Read a large body; ``rows_of`` reads the lines of a block that pyarrow cannot read, or reports its errors.

    Raises:
        InputError: If the body is not CSV of finite numbers within the limits.
    """
    parts: list[Records] = []
    columns = count = 0
    for block in text_blocks(body):
        if not columns:
            columns = _columns(block, limits)
        part = _with_arrow(block, columns) if columns else None
        if part is None:
            lines = text_lines(block.decode())
            if not lines:
                continue
            part = from_rows(rows_of(lines, count), count, columns)
        parts.append(from_array(part, count))
        count += len(part)
        limits.check(count, columns)
    if not parts:
        raise InputError("there are no records")
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _columns(block: bytes, limits: Limits) -> int:
    """The number of values in the first record, or 0 if all lines of the block are blank."""
    text = block.lstrip()
    end = text.find(b"\n")
    columns = text.count(b",", 0, len(text) if end < 0 else end) + 1
    if not text:
        return 0
    # Checked before the record is read: a number contains no comma, so the count is not too large.
    limits.check(1, columns)
    if columns > _MOST_COLUMNS:
        raise InputError(f"a record of CSV may have {_MOST_COLUMNS} values, got {columns}")
    return columns


def _with_arrow(block: bytes, columns: int) -> Records | None:
    """Read a block fast; ``None`` if that is not possible."""
    if find_spec("pyarrow") is None:
        return None
    if columns <= _COLUMNS_OF_ARROW:
        return _read(block, columns)
    # Read wide records as one column of all values.
    lines = [line for line in block.split(b"\n") if line and not line.isspace()]
    if any(line.count(b",") != columns - 1 for line in lines):
        return None
    values = _read(b"\n".join(lines).replace(b",", b"\n"), 1)
    # pyarrow skips empty lines, which are missing values here.
    return values.reshape(-1, columns) if values is not None and values.size == len(lines) * columns else None


def _read(content: bytes, columns: int) -> Records | None:
    import pyarrow
    from pyarrow import csv

    names = [str(number) for number in range(columns)]
    try:
        table = csv.read_csv(
            pyarrow.py_buffer(content),
            # One thread: the workers already share the processors.
            read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(content) + 1),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.float64()), null_values=[]),
        )
    except pyarrow.ArrowInvalid:
        return None
    records = np.empty((table.num_rows, columns))
    for number, column in enumerate(table.columns):
        records[:, number] = column.to_numpy()
    return records if len(records) else None
