"""The rows of a channel of the pinned data set, which CheckDataset has checked: CSV, TSV and JSON, also gzipped."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CHUNK_BYTES = 1 << 20
# A JSON document is parsed as a whole.
MAX_DOCUMENT_BYTES = 64 << 20
_VARIABLE = "MLOPS_COLUMNS"
_SEPARATORS = {"csv": ",", "tsv": "\t"}
_LINES = ("jsonl", "ndjson", "jsonlines")


class UnreadableError(Exception):
    """The rows cannot be read; the message is the end of a sentence."""


@dataclass(frozen=True)
class Layout:
    """The columns of a data set.

    Attributes:
        names: Their names, the label's included; empty without a data contract.
        header: Whether each CSV file begins with them.
        label: Place of the label.
    """

    names: tuple[str, ...] = ()
    header: bool = False
    label: int = 0

    @classmethod
    def of(cls, s3: Any, request_uri: str) -> Layout:
        """Read the columns that CheckDataset has stored of the data contract."""
        if request_uri == NONE:
            return cls()
        bucket, _, key = request_uri.removeprefix("s3://").partition("/")
        request = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        variables: Mapping[str, str] = request.get("columns", {})
        if not variables:
            return cls()
        rest = (f"{_VARIABLE}_{number}" for number in range(2, len(variables) + 1))
        known = json.loads("".join(variables[name] for name in (_VARIABLE, *rest)))
        return cls(tuple(known["names"] or ()), known["header"], known["label_index"])

    def features(self, width: int) -> list[str]:
        """Return the names of the features of rows with so many columns."""
        names = self.names or [f"column_{place + 1}" for place in range(width)]
        return [name for place, name in enumerate(names) if place != self.label]


@dataclass(frozen=True)
class Row:
    """A row: its label, and the values of its features."""

    label: object
    values: list[object]


@dataclass(frozen=True)
class Table:
    """The rows of a channel.

    Attributes:
        names: Names of the features.
        rows: The rows, to be read once.
    """

    names: list[str]
    rows: Iterator[Row]


def read_channel(s3: Any, uri: str, layout: Layout, max_bytes: int) -> Table:
    """Read the rows of all files below ``s3://bucket/prefix/``, at most so many bytes, equally many of each file.

    Raises UnreadableError, also while the rows are read.
    """
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    if not keys:
        raise UnreadableError("there is no object in the channel")
    files = (_rows_of(s3, bucket, key, layout, max_bytes // len(keys)) for key in keys)
    rows = chain.from_iterable(files)
    first = next(rows, None)
    if first is None:
        raise UnreadableError("the channel has no rows")
    names = layout.features(len(first.values) + 1)
    return Table(names, _same_width(chain([first], rows), len(names)))


def _same_width(rows: Iterable[Row], width: int) -> Iterator[Row]:
    for row in rows:
        if len(row.values) != width:
            raise UnreadableError(f"a row has {len(row.values)} features, and others have {width}")
        yield row


def _rows_of(s3: Any, bucket: str, key: str, layout: Layout, max_bytes: int) -> Iterator[Row]:
    name = key.rpartition("/")[2].lower()
    ending = name.removesuffix(".gz").rpartition(".")[2]
    if ending not in (*_SEPARATORS, *_LINES, "json"):
        raise UnreadableError(f"{name} is not CSV, TSV or JSON")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    packed = gzip.GzipFile(fileobj=body) if name.endswith(".gz") else body
    chunks = iter(lambda: packed.read(CHUNK_BYTES), b"")
    if ending in _SEPARATORS:
        yield from _of_texts(_lines(chunks, max_bytes), _SEPARATORS[ending], layout, name)
        return
    values = _document(chunks, name) if ending == "json" else (json.loads(one) for one in _lines(chunks, max_bytes))
    for value in values:
        yield _of_value(value, layout, name)


def _lines(chunks: Iterable[bytes], max_bytes: int) -> Iterator[str]:
    """Yield the lines that are not empty; the one at which the bytes end is left out."""
    rest, size = b"", 0
    for chunk in chunks:
        size += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8-sig", errors="replace") + "\n" for line in lines if line.strip())
        if size >= max_bytes:
            return
    if rest.strip():
        yield rest.decode("utf-8-sig", errors="replace")


def _of_texts(lines: Iterable[str], separator: str, layout: Layout, name: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator)
    if layout.header:
        next(reader, None)
    try:
        for cells in reader:
            yield _row(cells, layout, name)
    except csv.Error as error:
        raise UnreadableError(f"{name}: {error}") from error


def _document(chunks: Iterable[bytes], name: str) -> list[Any]:
    text = bytearray()
    for chunk in chunks:
        text += chunk
        if len(text) > MAX_DOCUMENT_BYTES:
            raise UnreadableError(f"{name} is a JSON document of more than {MAX_DOCUMENT_BYTES >> 20} MB")
    found = json.loads(text.decode("utf-8-sig"))
    if not isinstance(found, list):
        raise UnreadableError(f"{name} is not a JSON list of records")
    return found


def _of_value(value: Any, layout: Layout, name: str) -> Row:
    if isinstance(value, list):
        return _row(value, layout, name)
    if not isinstance(value, dict):
        raise UnreadableError(f"{name}: a record is neither a list nor an object")
    if not layout.names:
        raise UnreadableError("its records are JSON objects, and no data contract says which member is the label")
    return _row([value.get(one) for one in layout.names], layout, name)


def _row(cells: Sequence[object], layout: Layout, name: str) -> Row:
    if len(cells) <= layout.label:
        raise UnreadableError(f"{name}: a row has {len(cells)} columns, and the label is number {layout.label + 1}")
    return Row(cells[layout.label], [*cells[: layout.label], *cells[layout.label + 1 :]])
