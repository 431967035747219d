"""Parquet: what a file declares is judged first, and what it hides costs a process of its own, not the server."""

from __future__ import annotations

import decimal
import io
import json
import os
import signal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import pytest
from patience import PATIENCE_SECONDS
from pyarrow import parquet
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.limits import Limits
from sagemaker_contract.formats.parquet import decode_parquet, reader

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTES = 1024 * 1024


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_START_SECONDS", "_READ_SECONDS", "_IDLE_SECONDS"):
        monkeypatch.setattr(f"sagemaker_contract.formats.parquet.{name}", PATIENCE_SECONDS)


@pytest.fixture(scope="module", autouse=True)
def _no_process_stays() -> Iterator[None]:
    yield
    reader.end()


def written(table: pyarrow.Table, **options: object) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(table, stream, **options)
    return stream.getvalue()


def test_columns_of_every_number_type_are_read() -> None:
    money = pyarrow.array([decimal.Decimal("1.25"), decimal.Decimal("-2.5")], pyarrow.decimal128(10, 2))
    table = pyarrow.table({"a": money, "b": pyarrow.array([1, 2], pyarrow.uint8()), "c": [0.5, 1.5]})
    assert decode_parquet(written(table)).tolist() == [[1.25, 1, 0.5], [-2.5, 2, 1.5]]


def test_index_of_a_data_frame_is_no_column() -> None:
    table = pyarrow.table({"a": [1.0, 2.0], "__index_level_0__": [7, 9]})
    described = {"pandas": json.dumps({"index_columns": ["__index_level_0__", {"kind": "range"}]})}
    assert decode_parquet(written(table.replace_schema_metadata(described))).tolist() == [[1.0], [2.0]]
    assert decode_parquet(written(table)).tolist() == [[1.0, 7.0], [2.0, 9.0]]


@pytest.mark.parametrize("content", [b"no JSON", b"[]", b"{}", b"[" * 100_000])
def test_description_that_is_none_is_ignored(content: bytes) -> None:
    table = pyarrow.table({"a": [1.0]}).replace_schema_metadata({b"pandas": content})
    assert decode_parquet(written(table)).tolist() == [[1.0]]


def test_columns_of_one_name_are_all_read() -> None:
    assert decode_parquet(written(pyarrow.table([[1.0], [2.0]], names=["a", "a"]))).tolist() == [[1.0, 2.0]]


def test_many_rows_are_read_in_batches() -> None:
    values = np.random.default_rng(0).normal(size=(300_000, 3))
    table = pyarrow.table({name: values[:, number] for number, name in enumerate("abc")})
    assert (decode_parquet(written(table, row_group_size=70_000)) == values).all()


@pytest.mark.parametrize(
    ("table", "limits", "reason"),
    [
        (
            pyarrow.table({"a": np.zeros(16 * MEGABYTES)}),
            Limits(),
            "a request may have 1048576 records, got 16777216",
        ),
        (pyarrow.table({"a": [1.0]}), Limits(columns=4), "each record needs 4 values, got 1"),
        (
            pyarrow.table({f"c{number}": [1.0] for number in range(10_001)}),
            Limits(),
            "a Parquet file may have 10000 columns, got 10001",
        ),
    ],
    ids=["rows", "columns", "most columns"],
)
def test_declared_size_beyond_the_limits_is_refused(table: pyarrow.Table, limits: Limits, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_parquet(written(table), limits)
    assert str(caught.value) == reason


def test_declared_bytes_are_limited_too() -> None:
    texts = [f"{number}" * 1000 for number in range(100)]
    described = {"pandas": json.dumps({"index_columns": ["name"]})}
    table = pyarrow.table({"a": np.zeros(100), "name": texts}).replace_schema_metadata(described)
    assert decode_parquet(written(table)).shape == (100, 1)
    with pytest.raises(InputError, match="the data of a Parquet file may have 1600 bytes, this file declares"):
        decode_parquet(written(table), Limits(values=100, records=100))


def a_page_that_is_larger_than_declared(megabytes: int) -> bytes:
    """Return a small file that declares 61 kB of data, with a page that decompresses to so many megabytes."""
    content = pyarrow.compress(bytes(megabytes * MEGABYTES), codec="zstd", asbytes=True)
    sizes = varint(megabytes * MEGABYTES), varint(len(content)), varint(megabytes * MEGABYTES // 8)
    # Thrift: type, both sizes, and the number of values of a page without levels.
    page = b"\x15\x00\x15%b\x15%b\x2c\x15%b\x15\x00\x15\x06\x15\x06\x00\x00" % sizes + content
    numbers = np.random.default_rng(0).normal(size=len(page) // 6)
    schema = pyarrow.schema([pyarrow.field("a", pyarrow.float64(), nullable=False)])
    table = pyarrow.table({"a": numbers}, schema=schema)
    honest = written(table, compression="zstd", use_dictionary=False, write_statistics=False)
    return honest[:4] + page + honest[4 + len(page) :]


def varint(number: int) -> bytes:
    """Write a number as Thrift's compact protocol does."""
    number *= 2
    digits = [number >> shift & 127 for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([digit | 128 for digit in digits[:-1]] + digits[-1:])


def test_page_that_is_larger_than_declared_is_refused_for_its_memory() -> None:
    with pytest.raises(InputError, match="the Parquet file takes too much memory"):
        decode_parquet(a_page_that_is_larger_than_declared(256))
    # The process goes on.
    assert decode_parquet(written(pyarrow.table({"a": [1.0]}))).tolist() == [[1.0]]


def test_process_that_dies_is_replaced() -> None:
    body = written(pyarrow.table({"a": [1.0]}))
    assert decode_parquet(body).tolist() == [[1.0]]
    assert reader.process is not None
    os.kill(reader.process.pid, signal.SIGKILL)
    reader.process.wait()
    with pytest.raises(InputError, match="the body is not a Parquet file that can be read"):
        decode_parquet(body)
    assert decode_parquet(body).tolist() == [[1.0]]


def test_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    body = written(pyarrow.table({"a": [1.0]}))
    decode_parquet(body)
    assert reader.process is not None
    monkeypatch.setattr("sagemaker_contract.formats.parquet._READ_SECONDS", 0.2)
    os.kill(reader.process.pid, signal.SIGSTOP)
    with pytest.raises(InputError, match="the body is not a Parquet file that can be read"):
        decode_parquet(body)
    assert reader.process is None


def test_idle_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    decode_parquet(written(pyarrow.table({"a": [1.0]})))
    reader.end_if_idle()
    assert reader.process is not None
    monkeypatch.setattr("sagemaker_contract.formats.parquet._IDLE_SECONDS", -1)
    reader.end_if_idle()
    assert reader.process is None
