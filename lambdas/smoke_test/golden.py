"""The golden records."""

from __future__ import annotations

import csv
import io
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


def to_csv_line(row: list[str]) -> str:
    """One line of CSV, without its line end."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()
