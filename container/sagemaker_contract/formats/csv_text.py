"""CSV: read one record per line, write one prediction per line."""

from __future__ import annotations

import csv
import io
import math
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import NotANumberError, parse_numbers
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.records import body_text, from_array, from_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_contract.formats.records import Records

# Splitting takes 1.5 us per row, ten times as long as a reader, but a reader takes 100 us to set up.
_SPLIT_BELOW_BYTES = 16 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The form of most requests. All other forms go to the slower, exact parser.
_ONE_RECORD = re.compile(rb"[-+.0-9eE]+(?:,[-+.0-9eE]+)*\r?\n?")


def decode_csv(body: bytes) -> Records:
    """Read lines of numbers, without header line or label."""
    if len(body) > _SPLIT_BELOW_BYTES:
        records = _read_with_arrow(body)
        if records is not None:
            return records
    elif _ONE_RECORD.fullmatch(body):
        records = _one_record(body)
        if records is not None:
            return records
    text = body_text(body)
    lines = text.splitlines()
    try:
        # Python accepts 1_000 as a number; other programs do not.
        if "_" in text:
            raise ValueError(text)
        rows = [[float(cell) for cell in line.split(",")] for line in lines if line and not line.isspace()]
    except ValueError:
        # Quoted numbers are valid CSV too. For invalid cells, the slow parser reports the exact position.
        rows = _rows_cell_by_cell(lines)
    return from_rows(rows)


def _one_record(body: bytes) -> Records | None:
    try:
        row = [float(cell) for cell in body.split(b",")]
    except ValueError:
        return None
    return np.array((row,)) if math.isfinite(sum(row)) else None


def encode_csv(predictions: Sequence[Any]) -> bytes:
    """Write one prediction per line; a prediction of several values becomes several columns."""
    try:
        text = "\n".join(predictions) + "\n"
    except TypeError:
        return _written(predictions)
    # Fast, unless a text needs quotes or is empty.
    needs_quotes = '"' in text or "," in text or "\r" in text or text.count("\n") != len(predictions)
    if needs_quotes or text.startswith("\n") or "\n\n" in text:
        return _written(predictions)
    return text.encode()


def _read_with_arrow(body: bytes) -> Records | None:
    """Read a large body fast; ``None`` means that the slower parser must read it, or report its errors."""
    if find_spec("pyarrow") is None:
        return None
    import pyarrow
    from pyarrow import csv as arrow_csv

    content = body.removeprefix(_BYTE_ORDER_MARK)
    first = content.lstrip(b"\r\n").split(b"\n", 1)[0]
    names = [str(number) for number in range(first.count(b",") + 1)]
    try:
        table = arrow_csv.read_csv(
            pyarrow.py_buffer(content),
            # One thread: the workers already share the processors.
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.float64()), null_values=[]
            ),
        )
    except pyarrow.ArrowInvalid:
        return None
    records = np.empty((table.num_rows, len(names)))
    for number, column in enumerate(table.columns):
        records[:, number] = column.to_numpy()
    return from_array(records) if len(records) else None


def _rows_cell_by_cell(lines: list[str]) -> list[list[float]]:
    rows: list[list[float]] = []
    try:
        for cells in csv.reader(lines, strict=True):
            if any(cell.strip() for cell in cells) or len(cells) > 1:
                rows.append(parse_numbers(cells))
    except NotANumberError as error:
        raise InputError(f"record {len(rows) + 1}, column {error.index + 1}: {error}") from None
    except csv.Error as error:
        raise InputError(f"record {len(rows) + 1}: {error}") from None
    return rows


def _written(predictions: Sequence[Any]) -> bytes:
    lines = io.StringIO()
    rows = (prediction if isinstance(prediction, list | tuple) else [prediction] for prediction in predictions)
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()
