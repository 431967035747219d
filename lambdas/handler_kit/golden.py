"""The golden records."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from handler_kit.errors import ConfigurationError, StepError, error_code

MAX_GOLDEN_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Record:
    """A record with a known answer: the label, and the features as one line of CSV."""

    label: str
    features: str


def read_golden(s3: Any, uri: str) -> list[Record]:
    """Read the golden records of a data set. Raises StepError or ConfigurationError when there are none to read."""
    bucket, slash, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not slash or not key:
        raise ConfigurationError(f"UserParameters key golden_uri: must be s3://bucket/key, got {uri!r}")
    try:
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read(MAX_GOLDEN_BYTES + 1)
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            raise StepError(f"{uri}: no such object; start a new execution.") from error
        raise
    if len(content) > MAX_GOLDEN_BYTES:
        raise ConfigurationError(f"{uri}: the golden records have more than {MAX_GOLDEN_BYTES} bytes")
    return parse_golden(content, uri)


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
