"""The predictions in a response of an endpoint, and whether they are right."""

from __future__ import annotations

import csv
import io
import json
import math


def predictions(text: str, count: int) -> list[str]:
    """The predictions in a response for ``count`` records: the first value of each line of CSV, or those in JSON.

    JSON is the response of a built-in algorithm. What cannot be read has no predictions.
    """
    if text.lstrip().startswith("{"):
        return _of_json(text)
    rows = csv_rows(text)
    if len(rows) == 1 and len(rows[0]) == count:
        # The built-in XGBoost returns the predictions for several records in one line.
        return rows[0]
    return [row[0] for row in rows]


def csv_rows(text: str) -> list[list[str]]:
    """The lines of CSV that are not empty; none where it cannot be read."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:
        return []
    return [[value.strip() for value in row] for row in rows]


def same(label: str, answer: str, absolute: float = 0.0, relative: float = 0.0) -> bool:
    """Whether a prediction equals the label: the same text, or a number (``1`` and ``1.0``) within the tolerances."""
    if label == answer:
        return True
    wanted, given = number(label), number(answer)
    if wanted is None or given is None:
        return False
    return math.isclose(wanted, given, rel_tol=1e-6) or abs(wanted - given) <= max(absolute, relative * abs(wanted))


def number(text: str) -> float | None:
    """The finite number in a text; None if there is none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _of_json(text: str) -> list[str]:
    """Read the JSON of linear-learner and knn: the label, or for regression the score."""
    try:
        return [str(one.get("predicted_label", one.get("score"))) for one in json.loads(text)["predictions"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
