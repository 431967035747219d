"""The binary and line formats, and the fast way through large CSV."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.formats.binary import decode_npy, encode_npy
from sagemaker_contract.formats.csv_text import decode_csv, encode_csv
from sagemaker_contract.formats.json_text import decode_json, decode_json_lines, encode_json_lines
from sagemaker_contract.formats.negotiation import charset, content_type
from sagemaker_contract.formats.parquet import decode_parquet

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Server

FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


def npy(array: object, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array), **options)  # type: ignore[arg-type]
    return stream.getvalue()


def parquet_bytes(**columns: list[object]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()


def flowers_as_parquet() -> bytes:
    return parquet_bytes(**{f"c{number}": [row[number] for row in FLOWERS] for number in range(4)})


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (npy(FLOWERS), "application/x-npy"),
        (npy(np.asfortranarray(FLOWERS, dtype=">f4")), "application/x-npy"),
        (flowers_as_parquet(), "application/x-parquet"),
        (flowers_as_parquet(), "application/vnd.apache.parquet"),
        ("\n".join(map(json.dumps, FLOWERS)).encode(), "application/jsonlines"),
        ("\n".join(json.dumps({"features": row}) for row in FLOWERS).encode(), "application/x-ndjson"),
        ("\n".join(",".join(map(str, row)) for row in FLOWERS).encode("utf-16"), "text/csv; charset=utf-16"),
        ("5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3".encode("latin-1"), 'text/csv; header=absent; charset="ISO-8859-1"'),
    ],
    ids=["npy", "npy by columns", "parquet", "parquet alias", "json lines", "objects", "utf-16", "latin-1"],
)
def test_every_format_is_answered(server: Server, body: bytes, given: str) -> None:
    reply = server.invoke(body, given, accept="text/csv")
    assert (reply.status, reply.body) == (200, "setosa\nvirginica\n")


def test_npy_is_answered_as_npy(server: Server) -> None:
    reply = server.invoke(npy(FLOWERS), "application/x-npy", accept="application/x-npy")
    assert reply.headers["content-type"] == "application/x-npy"
    assert np.load(io.BytesIO(reply.body.encode("utf-8", "surrogateescape"))).tolist() == ["setosa", "virginica"]


def test_json_lines_are_answered_a_line_each(server: Server) -> None:
    reply = server.invoke("[5.1,3.5,1.4,0.2]\n[6.7,3.0,5.2,2.3]\n", "application/jsonlines")
    assert reply.headers["content-type"] == "application/jsonlines"
    assert reply.body == '"setosa"\n"virginica"\n'


def test_parquet_is_answered_in_the_first_format(server: Server) -> None:
    assert server.invoke(flowers_as_parquet(), "application/parquet").headers["content-type"] == "text/csv"


def test_unknown_charset_gets_415(server: Server) -> None:
    reply = server.invoke("1,2,3,4", "text/csv; charset=klingon")
    assert (reply.status, reply.error) == (415, "cannot read charset 'klingon'; send UTF-8")


@pytest.mark.parametrize("name", ["base64", "rot13", "a\0b", "punycode", "idna", "utf-7", "unicode_escape"])
def test_codec_that_is_no_charset_or_slow_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="cannot read charset"):
        charset(f"text/csv; charset={name}")


def test_content_type_is_known_by_other_names() -> None:
    assert content_type("Application/X-NDJSON ; charset=utf-8", ["application/jsonlines"]) == "application/jsonlines"


@pytest.mark.parametrize(
    ("decode", "body", "reason"),
    [
        (decode_npy, b"", "the body is empty"),
        (decode_npy, b"5.1,3.5", "the body is not a NumPy array: "),
        (decode_npy, npy(FLOWERS)[:-8], "the array's header declares (2, 4) of float64, but its data has 56 bytes"),
        (decode_npy, npy([["a", "b"]]), "the array must contain numbers, not <U1"),
        (decode_npy, npy(np.array([[{}]]), allow_pickle=True), "the array must contain numbers, not object"),
        (decode_npy, npy(np.zeros((2, 2, 2))), "the array must have one or two dimensions, not 3"),
        (decode_npy, npy(np.zeros((0, 4))), "there are no records"),
        (decode_npy, npy(np.zeros((2, 4))).replace(b"(2, 4)", b"(-2,-4)"), "the array's header declares (-2, -4)"),
        (decode_npy, npy(np.zeros((1, 8))).replace(b"(1, 8)", b"(True,8)"), "the array's header declares (True, 8)"),
        (decode_npy, npy([[1.0, np.inf]]), "record 1, column 2: inf is not a finite number"),
        (decode_parquet, b"", "the body is empty"),
        (decode_parquet, b"PAR1 and no more", "the body is not a Parquet file: "),
        (decode_parquet, flowers_as_parquet()[:-20], "the body is not a Parquet file: "),
        (decode_parquet, parquet_bytes(a=["x"]), "column 'a' must contain numbers, not string"),
        (decode_parquet, parquet_bytes(a=[1.0, None]), "column 'a' has missing values"),
        (decode_parquet, parquet_bytes(a=[{"x": 1.0}]), "column 'a' must contain numbers, not struct"),
        (decode_parquet, parquet_bytes(a=[1.0], b=[float("nan")]), "record 1, column 2: nan is not a finite number"),
        (decode_json_lines, b"[1,2]\n{\n", "record 2 is not JSON: "),
        (decode_json_lines, b"[1,2]\n[1]\n", "record 2 has 1 values, but record 1 has 2"),
        (decode_json_lines, b"3\n", "record 1 is not a list of numbers"),
        (decode_csv, b"1_0,2\n", "record 1, column 1: '1_0' is not a finite number"),
    ],
)
def test_unreadable_body_is_refused_with_the_reason(
    decode: Callable[[bytes], object], body: bytes, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        decode(body)
    assert str(caught.value).startswith(reason)


def test_header_of_a_small_body_cannot_claim_all_memory() -> None:
    claim = npy(np.zeros((1, 4))).replace(b"(1, 4)", b"(9999999999, 4)".ljust(6))
    with pytest.raises(InputError):
        decode_npy(claim)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\n \n\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("shape", [(20_000, 3), (200, 300), (2, 20_000), (60_000, 1)])
def test_large_csv_is_read_exactly_as_small(ending: str, mark: str, shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(1).normal(size=shape) * 10.0 ** np.random.default_rng(2).integers(-9, 9, shape)
    body = mark + ending.join(",".join(map(repr, row)) for row in rows.tolist()) + ending
    assert (decode_csv(body.encode()) == rows).all()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2", "record 4001 has 2 values, but record 1 has 3"),
        ("1,,3", "record 4001, column 2: the value is missing"),
        ("1,nan,3", "record 4001, column 2: nan is not a finite number"),
        ("1,two,3", "record 4001, column 2: 'two' is not a finite number"),
    ],
)
@pytest.mark.parametrize("before", [4000, 400_000], ids=["one block", "several blocks"])
def test_fault_in_large_csv_is_named_as_in_small(line: str, reason: str, before: int) -> None:
    with pytest.raises(InputError) as caught:
        decode_csv(("1,2,3\n" * before + line).encode())
    assert str(caught.value) == reason.replace("4001", str(before + 1))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1,2", "record 4001 is not JSON: "),
        ("[1],[2]", "record 4001 is not JSON: "),
        ("[1]", "record 4001 has 1 values, but record 1 has 2"),
        ("[1,true]", "record 4001, column 2: 'true' is not a number"),
        ("[1,1e999]", "record 4001, column 2: inf is not a finite number"),
        ('{"rows":[1,2]}', "record 4001 is not a list of numbers"),
        (f"[1,{'9' * 400}]", "record 4001, column 2: the number is too large"),
    ],
)
@pytest.mark.parametrize("before", [4000, 400_000], ids=["one block", "several blocks"])
def test_fault_in_large_json_lines_is_named_as_in_small(line: str, reason: str, before: int) -> None:
    with pytest.raises(InputError) as caught:
        decode_json_lines(("[1,2]\n" * before + line).encode())
    assert str(caught.value).startswith(reason.replace("4001", str(before + 1)))


@pytest.mark.parametrize(
    "lines",
    [
        ["[1.5,2]", ' {"features": [3, 4]} '] * 2000,
        ["[1.5,2]", "[3,4]"] * 100_000,
        ['{"features":[1.5,2]}', '{"features":[3,4],"id":"}"}'] * 40_000,
    ],
    ids=["mixed", "lists", "objects"],
)
def test_large_json_lines_are_read_exactly(lines: list[str]) -> None:
    records = decode_json_lines("\r\n".join(lines).encode())
    assert (records == [[1.5, 2], [3, 4]] * (len(lines) // 2)).all()


def test_lines_that_are_json_only_together_are_refused() -> None:
    with pytest.raises(InputError, match="record 1 is not JSON"):
        decode_json_lines(b'["\n"]\n' * 8000)


def test_large_json_is_read_exactly() -> None:
    body = json.dumps({"instances": [[number, number / 8] for number in range(40_000)]})
    assert (decode_json(body.encode()) == [[number, number / 8] for number in range(40_000)]).all()


@pytest.mark.parametrize("body", ["5.1,3.5", "-5e-1,+.5,3.\n", "1e300,1e300\r\n", "1e308,1e308", "7"])
def test_one_plain_record_is_read_exactly(body: str) -> None:
    assert decode_csv(body.encode()).tolist() == [[float(cell) for cell in body.split(",")]]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("1,2\n,3", "record 2, column 1: the value is missing"),
        ("1,2\r,3", "record 2, column 1: the value is missing"),
        ("1,e5", "record 1, column 2: 'e5' is not a finite number"),
        ("1,1e999", "record 1, column 2: inf is not a finite number"),
        ("1,-", "record 1, column 2: '-' is not a finite number"),
    ],
)
def test_what_only_looks_like_one_plain_record_is_refused(body: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_csv(body.encode())
    assert str(caught.value) == reason


def test_json_lines_of_several_values() -> None:
    assert encode_json_lines([[0.1, 0.9], "é"]) == '[0.1, 0.9]\n"é"\n'.encode()


def test_answers_that_are_no_array_get_406() -> None:
    with pytest.raises(RequestError) as caught:
        encode_npy([[1.0], [1.0, 2.0]])
    assert caught.value.status == 406


@pytest.mark.parametrize(
    ("predictions", "text"),
    [
        (["a", "b"], "a\nb\n"),
        (["a,b", "c"], '"a,b"\nc\n'),
        (['say "a"'], '"say ""a"""\n'),
        (["two\nlines", "b"], '"two\nlines"\nb\n'),
        (["", "b"], '""\nb\n'),
        (["a", ""], 'a\n""\n'),
        ([1.5, 2], "1.5\n2\n"),
        ([["a", 0.5], ["b", 0.25]], "a,0.5\nb,0.25\n"),
        (["a", 1], "a\n1\n"),
    ],
)
def test_csv_answers_can_be_read_again(predictions: list[object], text: str) -> None:
    assert encode_csv(predictions) == text.encode()
