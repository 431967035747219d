"""JSON and JSON Lines."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import shown
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.limits import DEFAULT, Limits
from sagemaker_contract.formats.records import body_text, from_array, from_rows, text_blocks, text_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from sagemaker_contract.formats.records import Records

_NUMBERS = {int, float}
_LARGE_BYTES = 16 * 1024
# The shortest records of each kind, with a comma: [1], and {"features":[1]},
_BYTES_PER_LIST, _BYTES_PER_OBJECT = 4, 17
_MANY_VALUES = 256
_TOO_DEEP = b"[" * 64


def decode_json(body: bytes, limits: Limits = DEFAULT) -> Records:
    """Read a list of numbers (one record), a list of such lists, or ``{"instances": ...}`` with either."""
    if len(body) > _LARGE_BYTES:
        _check_structure(body)
    content = parse_json(body_text(body), "the body")
    if isinstance(content, dict):
        if "instances" not in content:
            raise InputError('a JSON object must have the member "instances"')
        content = content["instances"]
    if not isinstance(content, list):
        raise InputError('the records must be a JSON list, or {"instances": [...]}')
    return _records(content if content and isinstance(content[0], list | dict) else [content], 0, 0)


def _check_structure(body: bytes) -> None:
    """Reject what cannot be records before it is parsed: empty lists and objects then take 70 times their text."""
    if _TOO_DEEP in body:
        raise InputError("the JSON is nested too deeply")
    lists, objects = body.count(b"["), body.count(b"{")
    if lists > len(body) // _BYTES_PER_LIST + 3 or objects > len(body) // _BYTES_PER_OBJECT + 3:
        raise InputError('each record must be a list of numbers, or {"features": [...]}')


def decode_json_lines(body: bytes, limits: Limits = DEFAULT) -> Records:
    """Read one record per line: a list of numbers, or ``{"features": [...]}``."""
    if len(body) <= _LARGE_BYTES:
        return _records(_parse_lines(text_lines(body_text(body)), 0), 0, 0)
    parts: list[Records] = []
    columns = count = 0
    for block in text_blocks(body):
        lines = text_lines(block.decode())
        if lines:
            parts.append(_records(_parse_lines(lines, count), count, columns))
            count, columns = count + len(parts[-1]), parts[-1].shape[1]
            limits.check(count, columns)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def encode_json(predictions: Sequence[Any]) -> bytes:
    """Write ``{"predictions": [...]}``."""
    return JSON_ENCODER.encode({"predictions": predictions}).encode()


def encode_json_lines(predictions: Sequence[Any]) -> bytes:
    """Write one prediction per line."""
    return "".join([JSON_ENCODER.encode(prediction) + "\n" for prediction in predictions]).encode()


def plain(value: Any) -> Any:
    """NumPy arrays and numbers, and lists of these, as Python's own."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _of_numpy(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a prediction has a value that JSON cannot contain, a {type(value).__name__}")


JSON_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_of_numpy)


def parse_json(text: str, what: str) -> Any:
    """Return the content of JSON; ``what`` it is of begins the message.

    Raises:
        InputError: If it is not JSON, or has NaN or infinity.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise InputError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{what} is not JSON: {error}") from None


def _parse_lines(lines: list[str], before: int) -> list[Any]:
    """The content of each line; ``before`` records come before them."""
    if len(lines) > 1 and _is_one_list_or_object_each(lines):
        try:
            rows = _DECODER.decode(f"[{','.join(lines)}]")
        except (RecursionError, ValueError):
            rows = []
        if len(rows) == len(lines):
            return list(rows)
    return [parse_json(line, f"record {number}") for number, line in enumerate(lines, start=before + 1)]


def _is_one_list_or_object_each(lines: list[str]) -> bool:
    """Whether each line has one bracket or brace at its start, one at its end, and none between."""
    opening, closing = ("[", "]") if lines[0].startswith("[") else ("{", "}")
    return all(line.startswith(opening) and line.endswith(closing) for line in lines) and all(
        sum(line.count(sign) for line in lines) == len(lines) for sign in (opening, closing)
    )


def _records(rows: list[Any], before: int, width: int) -> Records:
    """The rows as an array; ``before`` records of ``width`` values come before them."""
    # For one short record, the checks of each value are faster.
    if len(rows) > 1 or (type(rows[0]) is list and len(rows[0]) > _MANY_VALUES):
        rows = [row["features"] if type(row) is dict and "features" in row else row for row in rows]
        if set(map(type, rows)) == {list}:
            widths = set(map(len, rows))
            one_width = len(widths) == 1 and widths != {0} and widths <= {width or len(rows[0])}
            if one_width and set(map(type, chain.from_iterable(rows))) <= _NUMBERS:
                return _array(rows, before)
    return from_rows([_row(number, row) for number, row in enumerate(rows, start=before + 1)], before, width)


def _array(rows: list[list[float]], before: int) -> Records:
    columns = len(rows[0])
    try:
        values = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * columns)
    except OverflowError:
        return from_rows([_row(number, row) for number, row in enumerate(rows, start=before + 1)], before, columns)
    return from_array(values.reshape(-1, columns), before)


def _row(number: int, row: Any) -> list[float]:
    if isinstance(row, dict) and "features" in row:
        row = row["features"]
    if not isinstance(row, list):
        raise InputError(f"record {number} is not a list of numbers")
    return [_number(number, column, value) for column, value in enumerate(row, start=1)]


def _number(record: int, column: int, value: Any) -> float:
    # Not isinstance: true is an int in Python, but not a number in JSON.
    if type(value) not in (int, float):
        raise InputError(f"record {record}, column {column}: {_shown(value)} is not a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"record {record}, column {column}: the number is too large") from None


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return shown(json.dumps(value))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


# `json.loads` would make a decoder for each request.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
