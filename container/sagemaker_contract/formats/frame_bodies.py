"""Bodies of records with named columns of numbers and of text: CSV, JSON and JSON Lines."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import shown
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.json_text import parse_json
from sagemaker_contract.formats.limits import DEFAULT, Limits
from sagemaker_contract.formats.media_types import CSV, JSON, JSON_LINES
from sagemaker_contract.formats.records import body_text, text_lines
from sagemaker_contract.frames import NUMBER, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sagemaker_contract.frames import Cells, Field

    Decoder = Callable[[bytes, Limits], Cells]


def frame_decoders(fields: Sequence[Field]) -> dict[str, Decoder]:
    """Media type to the function that reads a body; the cells are those of a frame with these columns."""
    decoder = _Decoder(fields)
    return {CSV: decoder.csv, JSON: decoder.json, JSON_LINES: decoder.json_lines}


class _Decoder:
    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields
        self._names = [field.name for field in fields]
        self._indexes = {name: index for index, name in enumerate(self._names)}
        self._parsers = [number_of if field.kind == NUMBER else text_of for field in fields]

    def csv(self, body: bytes, limits: Limits = DEFAULT) -> Cells:
        """Lines of CSV, with or without the names of the columns in the first one."""
        reader = csv.reader(io.StringIO(body_text(body), newline=""), strict=True)
        rows = (
            row for row in self._rows(reader) if len(row) > 1 or (row and (row[0].strip() or len(self._names) == 1))
        )
        return self._records(self._without_header(rows), limits)

    def json(self, body: bytes, limits: Limits = DEFAULT) -> Cells:
        """A record, a list of records, or ``{"instances": ...}`` with either; each a list, or an object by names."""
        content = parse_json(body_text(body), "the body")
        if isinstance(content, dict) and set(content) == {"instances"}:
            content = content["instances"]
        is_many = isinstance(content, list) and content and isinstance(content[0], list | dict)
        return self._records(content if is_many else [content], limits)

    def json_lines(self, body: bytes, limits: Limits = DEFAULT) -> Cells:
        """A record in each line."""
        lines = text_lines(body_text(body))
        return self._records((parse_json(line, f"record {number}") for number, line in enumerate(lines, 1)), limits)

    def _rows(self, reader: Iterator[list[str]]) -> Iterator[list[str]]:
        number = 0
        while True:
            number += 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise InputError(f"record {number}: {error}") from None
            if row is None:
                return
            yield row

    def _without_header(self, rows: Iterator[list[str]]) -> Iterator[list[str]]:
        first = next(rows, None)
        if first is not None and first != self._names:
            yield first
        yield from rows

    def _records(self, records: Iterable[Any], limits: Limits) -> Cells:
        width, number = len(self._names), 0
        # A list of a million lists would take more memory than their cells.
        cells: list[Any] = []
        for number, record in enumerate(records, start=1):
            cells += self._parsed(number, record)
            # Checked before the memory for the next one is taken.
            if number > limits.records or len(cells) > limits.values:
                limits.check(number, width)
        if not number:
            raise InputError("there are no records")
        found = np.empty(len(cells), dtype=object)
        found[:] = cells
        return found.reshape(number, width)

    def _parsed(self, number: int, record: Any) -> list[Any]:
        cells = self._in_order(number, record) if isinstance(record, dict) else record
        if not isinstance(cells, list):
            raise InputError(f"record {number} is neither a list of values nor an object with the names of the columns")
        if len(cells) != len(self._names):
            raise InputError(
                f"record {number} has {len(cells)} values, but each needs {len(self._names)}:"
                f" {', '.join(self._names)[:300]}"
            )
        values = [parse(cell) for parse, cell in zip(self._parsers, cells, strict=True)]
        if None in values:
            index = values.index(None)
            wanted = "a number" if self._fields[index].kind == NUMBER else "a text"
            place = f"record {number}, column {index + 1} ({self._names[index]})"
            raise InputError(f"{place}: {shown(str(cells[index]))} is not {wanted}")
        return values

    def _in_order(self, number: int, record: dict[str, Any]) -> list[Any]:
        if "features" in record and "features" not in self._indexes and len(record) == 1:
            features: list[Any] = record["features"]
            return features
        unknown = sorted(record.keys() - self._indexes.keys())
        missing = [name for name in self._names if name not in record]
        if unknown or missing:
            what = f"has no {missing[0]!r}; send null if it is unknown" if missing else f"has {unknown[0][:40]!r}"
            raise InputError(f"record {number} {what}; the columns are {', '.join(self._names)[:300]}")
        return [record[name] for name in self._names]
