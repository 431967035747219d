"""JSON and JSON Lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sagemaker_contract.cells import shown
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.records import body_text, from_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from sagemaker_contract.formats.records import Records


def decode_json(body: bytes) -> Records:
    """Read a list of numbers (one record), a list of such lists, or ``{"instances": ...}`` with either."""
    content = _parse(body_text(body), "the body")
    if isinstance(content, dict):
        if "instances" not in content:
            raise InputError('a JSON object must have the member "instances"')
        content = content["instances"]
    if not isinstance(content, list):
        raise InputError('the records must be a JSON list, or {"instances": [...]}')
    rows = content if content and isinstance(content[0], list | dict) else [content]
    return from_rows([_row(number, row) for number, row in enumerate(rows, start=1)])


def decode_json_lines(body: bytes) -> Records:
    """Read one record per line: a list of numbers, or ``{"features": [...]}``."""
    lines = [line for line in body_text(body).splitlines() if line and not line.isspace()]
    return from_rows([_row(number, _parse(line, f"record {number}")) for number, line in enumerate(lines, start=1)])


def encode_json(predictions: Sequence[Any]) -> bytes:
    """Write ``{"predictions": [...]}``."""
    return json.dumps({"predictions": predictions}, ensure_ascii=False).encode()


def encode_json_lines(predictions: Sequence[Any]) -> bytes:
    """Write one prediction per line."""
    return "".join([json.dumps(prediction, ensure_ascii=False) + "\n" for prediction in predictions]).encode()


def _parse(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise InputError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{what} is not JSON: {error}") from None


def _row(number: int, row: Any) -> list[float]:
    if isinstance(row, dict) and "features" in row:
        row = row["features"]
    if not isinstance(row, list):
        raise InputError(f"record {number} is not a list of numbers")
    return [_number(number, column, value) for column, value in enumerate(row, start=1)]


def _number(record: int, column: int, value: Any) -> float:
    # Not isinstance: true is an int in Python, but not a number in JSON.
    if type(value) not in (int, float):
        raise InputError(f"record {record}, column {column}: {shown(json.dumps(value))} is not a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"record {record}, column {column}: the number is too large") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
