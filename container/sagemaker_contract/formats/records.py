"""The validated rows of numbers that every decoder returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sagemaker_contract.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Records = NDArray[np.float64]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Each block is decoded at once, so that memory and the search for an invalid cell are limited to a block.
_BLOCK_BYTES = 512 * 1024


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


def text_blocks(body: bytes) -> Iterator[bytes]:
    """Return a large body in blocks of whole lines, which end with ``\\n`` in every case.

    Raises:
        InputError: If the body is empty or not UTF-8.
    """
    if not body.isascii() or body.isspace():
        body_text(body)
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _BLOCK_BYTES) + 1 or len(body)
        yield body[start:end]
        start = end


def text_lines(text: str) -> list[str]:
    """Return the lines that are not blank, with any line ending."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return [line for line in text.split("\n") if line and not line.isspace()]


def from_rows(rows: Sequence[Sequence[float]], before: int = 0, width: int = 0) -> Records:
    """Return the rows as an array; all have the same number of values, at least one, and all values are finite.

    ``before`` records of ``width`` values come before them.

    Raises:
        InputError: If not; the message names the first invalid record.
    """
    width = width or (len(rows[0]) if rows else 0)
    for number, row in enumerate(rows, start=before + 1):
        if len(row) != width:
            raise InputError(f"record {number} has {len(row)} values, but record 1 has {width}")
    if not width:
        raise InputError("there are no records")
    records = np.array(rows, dtype=np.float64)
    # Most requests have one record. Checking its sum is faster than checking an array.
    return records if len(rows) == 1 and math.isfinite(sum(rows[0])) else from_array(records, before)


def from_array(records: Records, before: int = 0) -> Records:
    """Return the array if every value is finite.

    Raises:
        InputError: If not; the message names the first value that is not finite.
    """
    finite = np.isfinite(records)
    if not finite.all():
        row, column = divmod(int(finite.argmin()), records.shape[1])
        value = records[row, column]
        raise InputError(f"record {before + row + 1}, column {column + 1}: {value} is not a finite number")
    return records
