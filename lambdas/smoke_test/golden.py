"""The golden records, and how an endpoint's predictions for them are read."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

from handler_kit.errors import ConfigurationError


@dataclass(frozen=True)
class Record:
    """A record with a known answer: the label, and the features as one line of CSV."""

    label: str
    features: str


def parse_golden(content: bytes, place: str) -> list[Record]:
    """Read golden records: CSV, no header, the label first. Raises ConfigurationError that names the line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{place}: the golden records must be CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    records = []
    for row in reader:
        if len(row) == 1:
            raise ConfigurationError(f"{place}, line {reader.line_num}: a label and at least one feature are needed")
        if row:
            records.append(Record(row[0].strip(), to_csv_line(row[1:])))
    if not records:
        raise ConfigurationError(f"{place}: no golden records")
    return records


def parse_answers(body: bytes, count: int) -> list[str]:
    """The predictions in a response for ``count`` records: the first value of each line of CSV, or those in JSON.

    JSON is the response of a built-in algorithm.
    """
    text = body.decode("utf-8", errors="replace")
    if text.lstrip().startswith("{"):
        return _predictions(text)
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    if len(rows) == 1 and len(rows[0]) == count:
        # The built-in XGBoost returns the predictions for several records in one line.
        return [value.strip() for value in rows[0]]
    return [row[0].strip() for row in rows]


def _predictions(text: str) -> list[str]:
    """Read the JSON of linear-learner and knn: the label, or for regression the score."""
    try:
        return [str(one.get("predicted_label", one.get("score"))) for one in json.loads(text)["predictions"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def to_csv_line(row: list[str]) -> str:
    """One line of CSV, without its line end."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()
