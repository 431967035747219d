"""Read a Parquet file of numeric columns: first its schema and sizes, then, in small batches, its data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
from pyarrow import parquet

from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.records import from_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sagemaker_contract.formats.limits import Limits
    from sagemaker_contract.formats.records import Records

# Every column takes some kB before any data is read, and so does every row group.
_MOST_COLUMNS = 10_000
_MOST_CHUNKS = 100_000
_BYTES_PER_VALUE = 16
_VALUES_PER_BATCH = 256 * 1024


def read_records(body: bytes, limits: Limits) -> Records:
    """Return the rows of the file as records.

    Raises:
        InputError: If the schema, the number of rows or the declared size does not fit, or a value is not a number.
    """
    file = parquet.ParquetFile(pyarrow.py_buffer(body), pre_buffer=False, thrift_container_size_limit=_MOST_CHUNKS)
    metadata, index = file.metadata, index_columns(file.schema_arrow)
    if metadata.num_columns > _MOST_COLUMNS:
        raise InputError(f"a Parquet file may have {_MOST_COLUMNS} columns, got {metadata.num_columns}")
    fields = [field for field in file.schema_arrow if field.name not in index]
    rows, columns = metadata.num_rows, len(fields)
    if not rows or not columns:
        raise InputError("there are no records")
    for field in fields:
        if not is_number(field.type):
            raise InputError(f"column {field.name!r} must contain numbers, not {field.type}")
    limits.check(rows, columns)
    _check_size(metadata, limits)
    # Selecting by name is not possible in general: two columns may have the same.
    names = [field.name for field in fields] if index else None
    batches = file.iter_batches(max(1, _VALUES_PER_BATCH // columns), columns=names, use_threads=False)
    return from_array(_filled(np.empty((rows, columns)), batches))


def index_columns(schema: pyarrow.Schema) -> frozenset[str]:
    """The columns that pandas wrote for the index of a data frame; they are not columns of the frame."""
    try:
        content = json.loads((schema.metadata or {})[b"pandas"])
        return frozenset(name for name in content["index_columns"] if isinstance(name, str))
    except (KeyError, ValueError, TypeError, RecursionError):
        return frozenset()


def is_number(kind: pyarrow.DataType) -> bool:
    """Whether a column of this type can be read; databases write numbers such as amounts of money as decimals."""
    return bool(pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_decimal(kind))


def _check_size(metadata: parquet.FileMetaData, limits: Limits) -> None:
    groups, columns = metadata.num_row_groups, metadata.num_columns
    if groups * columns > _MOST_CHUNKS:
        raise InputError(f"a Parquet file may have {_MOST_CHUNKS} column chunks, got {groups} x {columns}")
    size = sum(metadata.row_group(group).total_byte_size for group in range(groups))
    most = _BYTES_PER_VALUE * limits.values
    if size > most:
        raise InputError(f"the data of a Parquet file may have {most} bytes, this file declares {size}")


def _filled(records: Records, batches: Iterable[Any]) -> Records:
    """Write all batches into ``records``. The data may contradict the sizes that the file declares."""
    start = 0
    for batch in batches:
        end = start + batch.num_rows
        if end > len(records):
            raise InputError(f"the file declares {len(records)} rows, but has more")
        for number, column in enumerate(batch.columns):
            if column.null_count:
                raise InputError(f"column {batch.schema.names[number]!r} has missing values")
            if pyarrow.types.is_decimal(column.type):
                column = column.cast(pyarrow.float64())
            records[start:end, number] = column.to_numpy(zero_copy_only=False)
        start = end
    if start != len(records):
        raise InputError(f"the file declares {len(records)} rows, but has {start}")
    return records
