"""Bodies to records and answers to bodies, one entry a media type.

A new format is a decoder, an encoder, and a line in each table below.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import NotANumberError, parse_numbers, shown
from sagemaker_contract.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from numpy.typing import NDArray

    Records = NDArray[np.float64]

CSV = "text/csv"
JSON = "application/json"
_NEEDS_QUOTES = frozenset(',"\r\n')


def decode_csv(body: bytes) -> Records:
    """Lines of numbers, without header or label."""
    lines = _text(body).splitlines()
    try:
        rows = [[float(cell) for cell in line.split(",")] for line in lines if line and not line.isspace()]
    except ValueError:
        # Quoted numbers are good CSV too; anything else gets its exact place from the slow way.
        rows = _rows_cell_by_cell(lines)
    return _records(rows)


def decode_json(body: bytes) -> Records:
    """A list of numbers (one record), a list of such lists, or ``{"instances": ...}`` with either."""
    try:
        content = json.loads(_text(body), parse_constant=_refuse_constant)
    except RecursionError:
        raise InputError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if isinstance(content, dict):
        if "instances" not in content:
            raise InputError('a JSON object must have the member "instances"')
        content = content["instances"]
    if not isinstance(content, list):
        raise InputError('the records must be a JSON list, or {"instances": [...]}')
    rows = content if content and isinstance(content[0], list) else [content]
    return _records([_json_row(number, row) for number, row in enumerate(rows, start=1)])


def encode_csv(predictions: Sequence[Any]) -> bytes:
    """One prediction a line; a prediction of several values becomes several columns."""
    return "".join(_csv_line(prediction) for prediction in predictions).encode()


def encode_json(predictions: Sequence[Any]) -> bytes:
    """``{"predictions": [...]}``."""
    return json.dumps({"predictions": predictions}, ensure_ascii=False).encode()


DECODERS: dict[str, Callable[[bytes], Records]] = {CSV: decode_csv, JSON: decode_json}
ENCODERS: dict[str, Callable[[Sequence[Any]], bytes]] = {CSV: encode_csv, JSON: encode_json}


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not UTF-8 text (byte {error.start})") from None
    if not text or text.isspace():
        raise InputError("the body is empty")
    return text


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


def _json_row(number: int, row: Any) -> list[float]:
    if not isinstance(row, list):
        raise InputError(f"record {number} is not a list of numbers")
    return [_json_number(number, column, value) for column, value in enumerate(row, start=1)]


def _json_number(record: int, column: int, value: Any) -> float:
    # Not isinstance: true is an int in Python and no number in JSON.
    if type(value) not in (int, float):
        raise InputError(f"record {record}, column {column}: {shown(json.dumps(value))} is not a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"record {record}, column {column}: the number is too large") from None


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"the body is not JSON: {name} is not a number")


def _records(rows: list[list[float]]) -> Records:
    """The rows as an array; all of one width, at least one value each, all finite."""
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise InputError(f"record {number} has {len(row)} values, record 1 has {width}")
    if not width:
        raise InputError("there are no records")
    records = np.array(rows, dtype=np.float64)
    if not np.isfinite(records).all():
        row, column = np.argwhere(~np.isfinite(records))[0]
        value = records[row, column]
        raise InputError(f"record {row + 1}, column {column + 1}: {value} is not a finite number")
    return records


def _csv_line(prediction: Any) -> str:
    if isinstance(prediction, str) and _NEEDS_QUOTES.isdisjoint(prediction):
        return prediction + "\n"
    line = io.StringIO()
    cells = prediction if isinstance(prediction, list | tuple) else [prediction]
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
