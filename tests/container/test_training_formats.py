"""Formats of training data whose cells have types, or which are packed: what is a number, and what is refused."""

from __future__ import annotations

import gzip
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from sagemaker_contract.columns import Columns
from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files import lines
from sagemaker_contract.tables import read_labelled

if TYPE_CHECKING:
    from pathlib import Path

LABELS = pyarrow.array(["a", "b"])


def array(values: list[Any], kind: pyarrow.DataType) -> pyarrow.Array:
    return pyarrow.array(values, kind)


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (array([1, 2], pyarrow.uint8()), [1, 2]),
        (array([Decimal("1.50"), Decimal("-2.00")], pyarrow.decimal128(10, 2)), [1.5, -2]),
        (array([True, False], pyarrow.bool_()), [1, 0]),
        (array([1.5, 2], pyarrow.float32()), [1.5, 2]),
        (array([np.float16(0.5), np.float16(1)], pyarrow.float16()), [0.5, 1]),
        (pyarrow.array([7, 8]).dictionary_encode(), [7, 8]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pyarrow.Array) else "",
)
def test_numbers_of_parquet_are_features(tmp_path: Path, column: pyarrow.Array, numbers: list[float]) -> None:
    parquet.write_table(pyarrow.table({"label": LABELS, "x": column}), tmp_path / "x.parquet")
    assert read_labelled("train", [tmp_path / "x.parquet"]).features.ravel().tolist() == numbers


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (array([date(2026, 1, 1)] * 2, pyarrow.date32()), "date32[day] is not a number; store it as a number with a"),
        (array([timedelta(1)] * 2, pyarrow.duration("s")), "duration[s] is not a number; store it as a number with a"),
        (array([[1], [2]], pyarrow.list_(pyarrow.int8())), "is not a number; store each value in a column of its own"),
        (array([None, None], pyarrow.null()), "row 1, column 2 (x): the value is missing"),
        (array([1.0, float("nan")], pyarrow.float64()), "row 2, column 2 (x): 'nan' is not a finite number"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pyarrow.Array) else "",
)
def test_other_types_of_parquet_are_no_features(tmp_path: Path, column: pyarrow.Array, reason: str) -> None:
    parquet.write_table(pyarrow.table({"label": LABELS, "x": column}), tmp_path / "x.parquet")
    with pytest.raises(DataError) as caught:
        read_labelled("train", [tmp_path / "x.parquet"])
    assert reason in str(caught.value)


def test_labels_of_parquet_may_be_bytes_of_text_or_categories(tmp_path: Path) -> None:
    labels = pyarrow.chunked_array([array([b"\xc3\xa4", b"b"], pyarrow.binary())])
    for number, column in enumerate((labels, LABELS.dictionary_encode())):
        parquet.write_table(pyarrow.table({"label": column, "x": [1, 2]}), tmp_path / f"{number}.parquet")
    assert read_labelled("train", sorted(tmp_path.iterdir())).labels.tolist() == ["ä", "b", "a", "b"]


def test_tabs_and_gzip_are_read_by_their_suffixes(tmp_path: Path) -> None:
    (tmp_path / "1.tsv").write_text("a,b\t1\nb\t2\n")
    (tmp_path / "2.TSV.GZ").write_bytes(gzip.compress(b"c\t3\n") + gzip.compress(b"d\t4\n"))
    (tmp_path / "3.csv.gz").write_bytes(gzip.compress(b'"e\t",5\n'))
    table = read_labelled("train", sorted(tmp_path.iterdir()))
    assert table.labels.tolist() == ["a,b", "b", "c", "d", "e"]
    assert table.features.ravel().tolist() == [1, 2, 3, 4, 5]


def test_a_bomb_is_left_before_it_unfolds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,1\n" * 200_000))
    monkeypatch.setattr(lines, "FREE_BYTES", 400_000)
    with pytest.raises(DataError, match=r"^x\.csv\.gz unpacks to more than 200 times its size; store it without gzip"):
        read_labelled("train", [tmp_path / "x.csv.gz"])
    monkeypatch.setattr(lines, "FREE_BYTES", 1_600_000)
    assert len(read_labelled("train", [tmp_path / "x.csv.gz"])) == 200_000


def test_records_of_arrays_are_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "1.npy", np.array([["a", "1"], ["b", "2"]]))
    (tmp_path / "2.json").write_text('[{"x": 3, "l": "c"}, {"l": "d", "x": 4}]')
    np.save(tmp_path / "3.npy", np.asfortranarray([[0.5, 5], [1.5, 6]]))
    table = read_labelled("train", sorted(tmp_path.iterdir()), Columns(("l", "x"), label="l"))
    assert table.labels.tolist() == ["a", "b", "c", "d", "0.5", "1.5"]
    assert table.features.ravel().tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.npy", np.array([["a", 1]], dtype=object), "x.npy is not a whole NumPy file of numbers or texts"),
        ("x.npy", np.zeros((2, 2, 2)), "x.npy: (2, 2, 2) is not a table"),
        ("x.npy", np.zeros((2, 2), complex), "x.npy: complex128 is neither numbers nor texts"),
        ("x.json", b'{"l": ["a"], "x": [1]}', "x.json: JSON is read as a list of records; with pandas"),
        ("x.json", b'[["a", 1], 2]', "x.json record 2: neither a JSON list nor an object"),
        ("x.json", b'[["a", 1], ["b", 2]', "x.json record 2: ',' or ']' must follow it"),
        ("x.npy.gz", b"", "x.npy.gz: NumPy files are not read with gzip"),
    ],
    ids=["objects", "cube", "complex", "columns", "number", "cut", "packed"],
)
def test_what_is_no_table_is_named(tmp_path: Path, name: str, content: Any, reason: str) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        read_labelled("train", [tmp_path / name])
    assert str(caught.value).startswith(reason)
