"""Read the file formats of training data as rows of cells, each with its place.

The format is that of the file's suffix: CSV, TSV, JSON Lines and JSON arrays, each also packed with gzip, Parquet, and
NumPy arrays. A file with another suffix is read as CSV. CheckDataset reads files in the same way before the job starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_contract.cells import parse_numbers, typed_numbers
from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files.delimited import read_delimited
from sagemaker_contract.table_files.json_array import read_json_array
from sagemaker_contract.table_files.json_lines import read_json_lines
from sagemaker_contract.table_files.numpy_file import read_numpy
from sagemaker_contract.table_files.parquet import read_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sagemaker_contract.columns import Layout

    Rows = Iterator[tuple[str, list[Any]]]
    ParseNumbers = Callable[[Sequence[Any]], list[float]]

_JSON_LINES = ("jsonl", "jsonlines", "ndjson")
_PACKED = ".gz"


def read_file(file: Path, layout: Layout) -> tuple[Rows, ParseNumbers]:
    """Return the rows of a file, and the function that parses their cells as numbers.

    Raises:
        DataError: For a file that is not of its format, or has other columns than the layout.
    """
    name = file.name.lower()
    suffix = name.removesuffix(_PACKED).rpartition(".")[2]
    if suffix == "json":
        return read_json_array(file, layout), typed_numbers
    if suffix == "npy":
        if name.endswith(_PACKED):
            raise DataError(f"{file.name}: NumPy files are not read with gzip; store it without")
        return read_numpy(file, layout)
    if suffix == "parquet":
        if name.endswith(_PACKED):
            raise DataError(f"{file.name}: Parquet is compressed in itself; store it without gzip")
        return read_parquet(file, layout), typed_numbers
    if suffix in _JSON_LINES:
        return read_json_lines(file, layout), typed_numbers
    return read_delimited(file, layout, "\t" if suffix == "tsv" else ","), parse_numbers
