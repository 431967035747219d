"""NumPy's own format, and Parquet."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.formats.records import from_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_contract.formats.records import Records

# A few bytes of a compressed column can expand to any number of rows.
_MOST_VALUES = 64 * 1024 * 1024


def decode_npy(body: bytes) -> Records:
    """Read an array as ``numpy.save`` writes it: rows x columns, or one row. Pickles are never read."""
    if not body:
        raise InputError("the body is empty")
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"format version {version[0]}.{version[1]}")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, kind = read_header(stream)
    except Exception as error:
        # The header is Python text, and the exceptions of its parser are not documented.
        raise InputError(f"the body is not a NumPy array: {error}") from None
    if kind.kind not in "fiu":
        raise InputError(f"the array must contain numbers, not {kind}")
    if len(shape) not in (1, 2):
        raise InputError(f"the array must have one or two dimensions, not {len(shape)}")
    if 0 in shape:
        raise InputError("there are no records")
    content = memoryview(body)[stream.tell() :]
    # Compare the sizes before memory is allocated for the size in the header.
    if math.prod(shape) * kind.itemsize != len(content):
        raise InputError(f"the array's header declares {shape} of {kind}, but its data has {len(content)} bytes")
    array = np.frombuffer(content, dtype=kind).reshape(shape, order="F" if by_columns else "C")
    return from_array(np.atleast_2d(array).astype(np.float64, order="C"))


def decode_parquet(body: bytes) -> Records:
    """Read a Parquet file with numeric columns."""
    import pyarrow
    from pyarrow import parquet

    if not body:
        raise InputError("the body is empty")
    try:
        file = parquet.ParquetFile(pyarrow.py_buffer(body))
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
        if rows * columns > _MOST_VALUES:
            raise InputError(f"the file has {rows} x {columns} values; at most {_MOST_VALUES} are allowed")
        table = file.read(use_threads=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"the body is not a Parquet file: {error}") from None
    if not rows or not columns:
        raise InputError("there are no records")
    records = np.empty((rows, columns))
    for number, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if not (pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type)):
            raise InputError(f"column {name!r} must contain numbers, not {column.type}")
        if column.null_count:
            raise InputError(f"column {name!r} has {column.null_count} missing values")
        records[:, number] = column.to_numpy()
    return from_array(records)


def encode_npy(predictions: Sequence[Any]) -> bytes:
    """Write the predictions as one array, as ``numpy.save`` does."""
    try:
        array = np.array(predictions)
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
    except ValueError:
        raise RequestError(406, "the predictions are not an array of one type; accept another media type") from None
    return stream.getvalue()
