"""What a body may decode to: judged before it takes memory or time."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.binary import decode_npy
from sagemaker_contract.formats.csv_text import decode_csv
from sagemaker_contract.formats.json_text import decode_json, decode_json_lines
from sagemaker_contract.formats.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from sagemaker_contract.formats.records import Records

SMALL = Limits.of(60_000, columns=4)


def npy(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("records", "columns", "reason"),
    [
        (1, 3, "each record needs 4 values, got 3"),
        (10_001, 4, "a request may have 10000 records, got 10001"),
    ],
)
def test_size_beyond_the_limits_is_refused(records: int, columns: int, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        SMALL.check(records, columns)
    assert str(caught.value) == reason


def test_values_are_limited_if_the_number_of_columns_is_unknown() -> None:
    limits = Limits.of(60_000, columns=None)
    limits.check(10_000, 6)
    with pytest.raises(InputError, match="a request may have 60000 values, got 10000 x 7"):
        limits.check(10_000, 7)


def test_size_at_the_limits_is_accepted() -> None:
    SMALL.check(10_000, 4)


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (decode_csv, b"1,1,1,1\n" * 10_001),
        (decode_json_lines, b"[1,1,1,1]\n" * 10_001),
        (decode_npy, npy(np.ones((10_001, 4)))),
    ],
    ids=["CSV", "JSON Lines", "npy"],
)
def test_too_many_records_are_refused(decode: Callable[[bytes, Limits], Records], body: bytes) -> None:
    with pytest.raises(InputError, match="a request may have 10000 records, got 10"):
        decode(body, SMALL)


@pytest.mark.parametrize(
    ("decode", "body"),
    [(decode_csv, b",".join([b"1"] * 300_000)), (decode_npy, npy(np.ones(300_000)))],
    ids=["CSV", "npy"],
)
def test_too_wide_a_record_is_refused(decode: Callable[[bytes, Limits], Records], body: bytes) -> None:
    with pytest.raises(InputError, match="each record needs 4 values, got 300000"):
        decode(body, SMALL)


@pytest.mark.parametrize("cell", ["1", '"1"'], ids=["plain", "quoted"])
def test_wide_records_are_read_if_the_number_of_columns_is_unknown(cell: str) -> None:
    line = ",".join([cell] * 100_000)
    assert decode_csv(f"{line}\n{line}\n".encode()).shape == (2, 100_000)


def test_record_of_csv_that_no_model_has_is_refused() -> None:
    with pytest.raises(InputError, match="a record of CSV may have 1000000 values, got 1000001"):
        decode_csv(b"1," * 1_000_000 + b"1")


@pytest.mark.parametrize("empty", ["{}", "[]", '{"":{}}', "[[],[]]"])
def test_json_of_nothing_but_structure_is_refused(empty: str) -> None:
    with pytest.raises(InputError, match="each record must be a list of numbers"):
        decode_json(f"[{','.join([empty] * 100_000)}]".encode())


def test_deep_json_is_refused() -> None:
    with pytest.raises(InputError, match="the JSON is nested too deeply"):
        decode_json(b"[" * 100_000)
    with pytest.raises(InputError, match="record 1, column 1: an object is not a number"):
        decode_json(b"[[" + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]]")


@pytest.mark.parametrize("record", ["[1]", '{"features":[1]}'])
def test_shortest_records_are_accepted(record: str) -> None:
    assert len(decode_json(f"[{','.join([record] * 20_000)}]".encode())) == 20_000


def test_long_record_of_json_is_read() -> None:
    assert decode_json(json.dumps(list(range(100_000))).encode()).shape == (1, 100_000)
