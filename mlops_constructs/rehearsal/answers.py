"""What an endpoint answers in CSV, read as a caller reads it."""

from __future__ import annotations

import json
import math


def predictions(text: str, asked: int) -> list[str]:
    """Give the prediction of each of ``asked`` rows: the first value of a line.

    The built-in XGBoost answers several rows in one line; linear-learner and knn answer in JSON.
    """
    if text.lstrip().startswith("{"):
        return [str(one.get("predicted_label", one.get("score"))) for one in json.loads(text)["predictions"]]
    lines = [line.split(",") for line in text.split()]
    return lines[0] if len(lines) == 1 and len(lines[0]) == asked else [line[0] for line in lines]


def same(label: str, answer: str) -> bool:
    """Tell whether an answer means the label: the same text, or the same number."""
    try:
        return label == answer or math.isclose(float(label), float(answer), rel_tol=1e-6)
    except ValueError:
        return False
