"""Read the file formats of training data as lines of cells; each line has its position and starts with the label."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any

from sagemaker_contract.cells import NotANumberError, parse_numbers
from sagemaker_contract.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Lines = Iterator[tuple[str, list[Any]]]


def read_file(file: Path) -> tuple[Lines, Callable[[Sequence[Any]], list[float]]]:
    """Return the lines of a file and the function that parses their cells; by its suffix, CSV by default."""
    if file.suffix == ".parquet":
        return _parquet(file), _typed_numbers
    if file.suffix in (".jsonl", ".jsonlines", ".ndjson"):
        return _json_lines(file), _typed_numbers
    return _csv(file), parse_numbers


def _csv(file: Path) -> Lines:
    """Every line that is not blank; a byte order mark and any line ending are accepted."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            for cells in reader:
                if cells and (len(cells) > 1 or cells[0].strip()):
                    yield f"{file.name} line {reader.line_num}", cells
        except UnicodeDecodeError:
            raise DataError(f"{file.name} line {_first_undecodable_line(file)}: not UTF-8 text") from None
        except csv.Error as error:
            raise DataError(f"{file.name} line {reader.line_num + 1}: {error}") from error


def _json_lines(file: Path) -> Lines:
    """One JSON list per line, or one object, whose first member is the label; all objects have the same members."""
    names: list[str] | None = None
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            place = f"{file.name} line {number}"
            content = _json(place, line)
            if content is None:
                continue
            if isinstance(content, dict):
                names = names or list(content)
                if list(content) != names:
                    raise DataError(
                        f"{place}: the members are {', '.join(content)}, but earlier lines have {', '.join(names)}"
                    )
                content = list(content.values())
            if not isinstance(content, list):
                raise DataError(f"{place}: neither a JSON list nor an object")
            yield place, content


def _json(place: str, line: bytes) -> Any:
    try:
        text = line.decode("utf-8-sig")
        return json.loads(text) if text.strip() else None
    except UnicodeDecodeError:
        raise DataError(f"{place}: not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not JSON: {error}") from None


def _parquet(file: Path) -> Lines:
    """The rows of a Parquet file, whose first column is the label."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as source:
            number = 0
            for batch in source.iter_batches():
                columns = [column.to_pylist() for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield f"{file.name} row {number}", list(cells)
    except pyarrow.ArrowException as error:
        raise DataError(f"{file.name} is not a Parquet file: {error}") from None


def _typed_numbers(cells: Sequence[Any]) -> list[float]:
    """Return cells that already have types as numbers."""
    for index, cell in enumerate(cells):
        # Not isinstance: True is an int in Python, but not a number in the data.
        if type(cell) not in (int, float) or not math.isfinite(cell):
            raise NotANumberError(index, "" if cell is None else str(cell))
    return [float(cell) for cell in cells]


def _first_undecodable_line(file: Path) -> int:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError:
                return number
    raise AssertionError(f"{file} decodes by line but not as a whole")
