"""What an outcome means for a metric: a bin, from 0 (failure, or the lowest value) to ``bins - 1``.

A request may have had several records. Its outcome then has one line for each (or one line with all of them), and the
request is a success only when all of its records are; its value is their mean. Whatever cannot be a right response is
a failure: no prediction, or another number of predictions than were reported. A challenger that responds with nothing
would otherwise lose its failures.

Where a test has several metrics that are read from outcomes, the outcome may be a JSON object with a member for each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handler_kit.predictions import csv_rows, number, predictions, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handler_kit.outcomes import Outcome

ACCURACY, SUCCESS, VALUE = "accuracy", "success", "value"
OF_OUTCOMES = (ACCURACY, SUCCESS, VALUE)
_SUCCESSES = {"true": 1.0, "false": 0.0}


def bin_of(
    outcome: Outcome, response: str | None, name: str, source: Mapping[str, Any], bins: int
) -> tuple[int | None, bool]:
    """Return the bin of an outcome, None if it has none; and whether the outcome could be read.

    Args:
        outcome: What was reported of a request.
        response: The text of the response; None if responses are not captured.
        name: Name of the metric.
        source: What the metric measures, with its options.
        bins: How many bins the metric has.
    """
    labels = _labels(outcome, name)
    if labels is None:
        return None, True
    if not labels:
        return None, False
    if source["measures"] == ACCURACY:
        return (None if response is None else int(_right(labels, response, source))), True
    found = _success(labels) if source["measures"] == SUCCESS else _value(labels, source, bins)
    return found, found is not None


def _labels(outcome: Outcome, name: str) -> list[str] | None:
    """The reported values of each record: none if they cannot be read, None if the metric has no member."""
    if not outcome.is_json:
        rows = csv_rows(outcome.text)
        return rows[0] if len(rows) == 1 else [row[0] for row in rows]
    try:
        found = json.loads(outcome.text)
    except (ValueError, RecursionError):
        return []
    if isinstance(found, dict):
        if name not in found:
            return None
        found = found[name]
    values = found if isinstance(found, list) else [found]
    if not all(isinstance(value, (str, bool, int, float)) for value in values):
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _right(labels: Sequence[str], response: str, source: Mapping[str, Any]) -> bool:
    given = predictions(response, len(labels))
    tolerances = float(source.get("absolute_tolerance", 0.0)), float(source.get("relative_tolerance", 0.0))
    pairs = zip(labels, given, strict=False)
    return len(given) == len(labels) and all(same(label, answer, *tolerances) for label, answer in pairs)


def _success(labels: Sequence[str]) -> int | None:
    found = [_SUCCESSES.get(label.lower(), number(label)) for label in labels]
    return int(all(found)) if all(one in (0.0, 1.0) for one in found) else None


def _value(labels: Sequence[str], source: Mapping[str, Any], bins: int) -> int | None:
    numbers = [found for label in labels if (found := number(label)) is not None]
    if len(numbers) < len(labels):
        return None
    low, high = float(source["low"]), float(source["high"])
    place = (sum(numbers) / len(numbers) - low) / (high - low)
    return round(min(1.0, max(0.0, place)) * (bins - 1))
