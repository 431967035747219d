"""The validated rows of numbers that every decoder returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sagemaker_contract.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Records = NDArray[np.float64]


def body_text(body: bytes) -> str:
    """Return the body as text.

    Raises:
        InputError: If it is empty or not UTF-8.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not UTF-8 text (byte {error.start})") from None
    if not text or text.isspace():
        raise InputError("the body is empty")
    return text


def from_rows(rows: Sequence[Sequence[float]]) -> Records:
    """Return the rows as an array; all have the same number of values, at least one, and all values are finite.

    Raises:
        InputError: If not; the message names the first invalid record.
    """
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise InputError(f"record {number} has {len(row)} values, but record 1 has {width}")
    if not width:
        raise InputError("there are no records")
    records = np.array(rows, dtype=np.float64)
    # Most requests have one record. Checking its sum is faster than checking an array.
    return records if len(rows) == 1 and math.isfinite(sum(rows[0])) else from_array(records)


def from_array(records: Records) -> Records:
    """Return the array if every value is finite.

    Raises:
        InputError: If not; the message names the first value that is not finite.
    """
    if not np.isfinite(records).all():
        row, column = np.argwhere(~np.isfinite(records))[0]
        value = records[row, column]
        raise InputError(f"record {row + 1}, column {column + 1}: {value} is not a finite number")
    return records
