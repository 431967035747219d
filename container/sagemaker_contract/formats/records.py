"""Rows of numbers, checked: what every decoder gives."""

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
    """The body as text.

    Raises:
        InputError: When it is empty, or not UTF-8.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not UTF-8 text (byte {error.start})") from None
    if not text or text.isspace():
        raise InputError("the body is empty")
    return text


def from_rows(rows: Sequence[Sequence[float]]) -> Records:
    """The rows as an array; all of one width, at least one value each, all finite.

    Raises:
        InputError: Naming the first record at fault.
    """
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise InputError(f"record {number} has {len(row)} values, record 1 has {width}")
    if not width:
        raise InputError("there are no records")
    records = np.array(rows, dtype=np.float64)
    # One record is the rule, and its sum is found before an array is looked at.
    return records if len(rows) == 1 and math.isfinite(sum(rows[0])) else from_array(records)


def from_array(records: Records) -> Records:
    """The array itself, when every value is finite.

    Raises:
        InputError: Naming the first value that is none.
    """
    if not np.isfinite(records).all():
        row, column = np.argwhere(~np.isfinite(records))[0]
        value = records[row, column]
        raise InputError(f"record {row + 1}, column {column + 1}: {value} is not a finite number")
    return records
