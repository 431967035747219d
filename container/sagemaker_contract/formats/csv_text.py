"""CSV: read one record per line, write one prediction per line."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import NotANumberError, parse_numbers
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.csv_blocks import read_blocks
from sagemaker_contract.formats.limits import DEFAULT, Limits
from sagemaker_contract.formats.records import body_text, from_rows, text_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_contract.formats.records import Records

# Splitting takes 1.5 us per row, ten times as long as a reader, but a reader takes 100 us to set up.
_SPLIT_BELOW_BYTES = 16 * 1024
# The form of most requests. All other forms go to the slower, exact parser.
_ONE_RECORD = re.compile(rb"[-+.0-9eE]+(?:,[-+.0-9eE]+)*\r?\n?")


def decode_csv(body: bytes, limits: Limits = DEFAULT) -> Records:
    """Read lines of numbers, without header line or label."""
    if len(body) > _SPLIT_BELOW_BYTES:
        return read_blocks(body, limits, _rows)
    if _ONE_RECORD.fullmatch(body):
        records = _one_record(body)
        if records is not None:
            return records
    return from_rows(_rows(text_lines(body_text(body)), 0))


def _one_record(body: bytes) -> Records | None:
    try:
        row = [float(cell) for cell in body.split(b",")]
    except ValueError:
        return None
    return np.array((row,)) if math.isfinite(sum(row)) else None


def _rows(lines: list[str], before: int) -> list[list[float]]:
    """The numbers of each line; ``before`` records come before them."""
    try:
        # Python accepts 1_000 as a number; other programs do not.
        if any("_" in line for line in lines):
            raise ValueError
        return [[float(cell) for cell in line.split(",")] for line in lines]
    except ValueError:
        # Quoted numbers are valid CSV too. For invalid cells, the slow parser reports the exact position.
        return _rows_cell_by_cell(lines, before)


def _rows_cell_by_cell(lines: list[str], before: int) -> list[list[float]]:
    rows: list[list[float]] = []
    try:
        for cells in csv.reader(lines, strict=True):
            if any(cell.strip() for cell in cells) or len(cells) > 1:
                rows.append(parse_numbers(cells))
    except NotANumberError as error:
        raise InputError(f"record {before + len(rows) + 1}, column {error.index + 1}: {error}") from None
    except csv.Error as error:
        raise InputError(f"record {before + len(rows) + 1}: {error}") from None
    return rows


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


def _written(predictions: Sequence[Any]) -> bytes:
    lines = io.StringIO()
    rows = (prediction if isinstance(prediction, list | tuple) else [prediction] for prediction in predictions)
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()
