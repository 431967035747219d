"""The records in the body of a request, and the predictions in the response."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit.predictions import csv_rows, number, predictions, same

if TYPE_CHECKING:
    from collections.abc import Sequence

_JSON_LINES = ("application/jsonlines", "application/jsonl", "application/x-jsonlines")
_LISTS = ("instances", "inputs", "records", "data")
_SUM_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction, and how sure the model is: the probability of the predicted class."""

    predicted: str
    confidence: float


def media_type(content_type: str) -> str:
    """Return the type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def records(text: str, content_type: str, names: Sequence[str]) -> list[list[Any]] | None:
    """Return the values of each record of a request, in the order of the names; None if they cannot be read.

    CSV has no header. JSON is a record, a list of records, or an object with ``instances``; a record is a list, an
    object with ``features``, or one with a member for each name.
    """
    type_ = media_type(content_type)
    try:
        if type_ in ("text/csv", ""):
            found: list[Any] | None = csv_rows(text)
        elif type_ == "application/json":
            found = _of_document(json.loads(text), names)
        elif type_ in _JSON_LINES:
            found = [_of_value(json.loads(line), names) for line in text.splitlines() if line.strip()]
        else:
            return None
    except (ValueError, RecursionError):
        return None
    if not found or any(row is None or len(row) != len(names) for row in found):
        return None
    return found


def _of_document(value: Any, names: Sequence[str]) -> list[Any] | None:
    if isinstance(value, dict):
        member = next((name for name in _LISTS if isinstance(value.get(name), list)), None)
        value = [value] if member is None else value[member]
    if not isinstance(value, list):
        return None
    if value and not isinstance(value[0], (list, dict)):
        value = [value]
    return [_of_value(one, names) for one in value]


def _of_value(value: Any, names: Sequence[str]) -> list[Any] | None:
    if isinstance(value, dict):
        if isinstance(value.get("features"), list):
            value = value["features"]
        elif any(name in value for name in names):
            value = [value.get(name) for name in names]
    if not isinstance(value, list) or any(isinstance(one, (list, dict)) for one in value):
        return None
    return value


def predicted(text: str, count: int | None) -> list[str] | None:
    """Return the prediction for each record; None if they cannot be read, or are not as many as the records."""
    stripped = text.lstrip()
    if stripped.startswith("[") or (stripped.startswith("{") and '"predictions"' in stripped):
        found = _of_json(text) or predictions(text, count or 0)
    else:
        found = predictions(text, count or 0)
    if not found or (count is not None and len(found) != count):
        return None
    return found


def _of_json(text: str) -> list[str]:
    """Read ``{"predictions": [...]}`` or a list, of plain values."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found = value.get("predictions") if isinstance(value, dict) else value
    if not isinstance(found, list) or any(isinstance(one, (dict, list)) for one in found):
        return []
    return [str(one) for one in found]


def answers(text: str, count: int) -> list[Answer] | None:
    """Return prediction and confidence for each record; None where the model responds with no probabilities.

    A line is the probability of class 1, or a probability for each class from 0 on, or a class and its probability. So
    is the JSON of linear-learner, with its scores.
    """
    if text.lstrip().startswith("{"):
        found = _of_scores(text)
    else:
        rows = csv_rows(text)
        if len(rows) == 1 and len(rows[0]) == count != 1:
            rows = [[value] for value in rows[0]]
        found = [_answer(row) for row in rows]
    if len(found) != count or any(one is None for one in found):
        return None
    return [one for one in found if one is not None]


def _answer(row: Sequence[str]) -> Answer | None:
    values = [number(value) for value in row]
    shares = [value for value in values if value is not None and 0.0 <= value <= 1.0]
    if len(shares) == len(row) == 1:
        return _binary(shares[0])
    if len(shares) == len(row) and abs(sum(shares) - 1.0) <= _SUM_TOLERANCE:
        return Answer(str(shares.index(max(shares))), max(shares))
    if len(row) == 2 and values[1] is not None and 0.0 <= values[1] <= 1.0:
        return Answer(row[0], values[1])
    return None


def _binary(share: float) -> Answer:
    return Answer("1" if share >= 0.5 else "0", max(share, 1.0 - share))


def _of_scores(text: str) -> list[Answer | None]:
    try:
        return [_scored(one) for one in json.loads(text)["predictions"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _scored(one: dict[str, Any]) -> Answer | None:
    score = one["score"]
    scores = score if isinstance(score, list) else [max(score, 1.0 - score)]
    if not all(0.0 <= value <= 1.0 for value in scores):
        return None
    return Answer(str(one["predicted_label"]), float(max(scores)))


def is_right(labels: Sequence[str], given: Sequence[str], absolute: float, relative: float) -> bool:
    """Whether all records of a request were predicted right."""
    pairs = zip(labels, given, strict=False)
    return len(labels) == len(given) and all(same(label, answer, absolute, relative) for label, answer in pairs)
