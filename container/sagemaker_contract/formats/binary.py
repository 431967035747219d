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

# A few bytes of a compressed column can claim any number of rows.
_MOST_VALUES = 64 * 1024 * 1024


def decode_npy(body: bytes) -> Records:
    """An array as ``numpy.save`` writes it: rows x columns, or one row. Never a pickle."""
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
        # The header is Python text; what its parser raises is not listed anywhere.
        raise InputError(f"the body is not a NumPy array: {error}") from None
    if kind.kind not in "fiu":
        raise InputError(f"the array must hold numbers, it holds {kind}")
    if len(shape) not in (1, 2):
        raise InputError(f"the array must have rows and columns, it has {len(shape)} dimensions")
    if 0 in shape:
        raise InputError("there are no records")
    content = memoryview(body)[stream.tell() :]
    # Before any memory is set aside for what the header claims.
    if math.prod(shape) * kind.itemsize != len(content):
        raise InputError(f"the array's header says {shape} of {kind}, the body has {len(content)} bytes of it")
    array = np.frombuffer(content, dtype=kind).reshape(shape, order="F" if by_columns else "C")
    return from_array(np.atleast_2d(array).astype(np.float64, order="C"))


def decode_parquet(body: bytes) -> Records:
    """A Parquet file of number columns."""
    import pyarrow
    from pyarrow import parquet

    if not body:
        raise InputError("the body is empty")
    try:
        file = parquet.ParquetFile(pyarrow.py_buffer(body))
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
        if rows * columns > _MOST_VALUES:
            raise InputError(f"the file holds {rows} x {columns} values; at most {_MOST_VALUES} are read")
        table = file.read(use_threads=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"the body is not a Parquet file: {error}") from None
    if not rows or not columns:
        raise InputError("there are no records")
    records = np.empty((rows, columns))
    for number, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if not (pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type)):
            raise InputError(f"column {name!r} must hold numbers, it holds {column.type}")
        if column.null_count:
            raise InputError(f"column {name!r} has {column.null_count} missing values")
        records[:, number] = column.to_numpy()
    return from_array(records)


def encode_npy(predictions: Sequence[Any]) -> bytes:
    """The predictions as one array, as ``numpy.save`` writes it."""
    try:
        array = np.array(predictions)
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
    except ValueError:
        raise RequestError(406, "these predictions are no array of one type; accept another type") from None
    return stream.getvalue()
