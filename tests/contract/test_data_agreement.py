"""CheckDataset and the training program read files alike: what one accepts, the other reads, row by row.

They share no code, so every file that people may write is given to both.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from check_dataset.balance import check_training
from check_dataset.columns import variables
from check_dataset.content import Content
from check_dataset.contract import Contract, parse_contract
from check_dataset.formats import DELIMITED, JSON_ARRAY, format_of
from check_dataset.json_array import JsonArray
from check_dataset.json_rows import json_lines as lines_of
from check_dataset.json_rows import json_rows
from check_dataset.numbers import is_number
from check_dataset.table import read_table
from check_dataset.text_rows import text_rows
from contract.tables_of_people import delimited_files, files, json_arrays, json_lines, numpy_files
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sagemaker_contract.columns import Columns, Layout
from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files import read_file
from sagemaker_contract.tables import check_classes, read_labelled

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from check_dataset.table import Table as Checked
    from sagemaker_contract.tables import Table as Trained

NAMES = ["bought", "shop", "price"]


def contract_of(*, header: bool = False, label: str = "bought", names: list[str] | None = None) -> Contract:
    """A contract whose features are all numbers."""
    columns = [f'{{"name": "{name}", "type": "{"string" if name == label else "number"}"}}' for name in names or NAMES]
    return parse_contract(
        f'{{"columns": [{", ".join(columns)}], "header": {str(header).lower()}, "label": "{label}"}}', "contract"
    )


NOTHING = Contract()
MAX = 10_000_000


def content_of(name: str, data: bytes) -> Content:
    """An object in pieces, of a few bytes each if it is small."""
    step = max(7, len(data) // 20)
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    return Content(pieces, name, MAX, MAX if name.endswith(".gz") else None)


def line_of(message: str) -> str | None:
    found = re.search(r"(?:line|record) (\d+)", message)
    return found and found[1]


# ---- the rows as they are


def checked_rows(name: str, data: bytes, contract: Contract) -> list[tuple[int, list[Any]]] | str:
    format_ = format_of(name)
    assert format_ is not None
    content = content_of(name, data)
    try:
        if format_.kind == DELIMITED:
            return list(text_rows(content, contract, format_.separator))
        values = lines_of(content)
        if format_.kind == JSON_ARRAY:
            array = JsonArray(content)
            if not array.is_table():
                return "not a table"
            values = array.records()
        return [(number, cells) for number, _, cells in json_rows(name, values, contract, format_.unit)]
    except ConfigurationError as error:
        return str(error)


def trained_rows(name: str, data: bytes, contract: Contract) -> list[tuple[int, list[Any]]] | str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            rows, _ = read_file(path, Layout(Columns.from_env(variables(contract))))
            return [(int(place.rpartition(" ")[2]), cells) for place, cells in rows]
        except DataError as error:
            return str(error)


def assert_same_rows(name: str, data: bytes, contract: Contract) -> None:
    checked, trained = checked_rows(name, data, contract), trained_rows(name, data, contract)
    if checked == "not a table":
        assert isinstance(trained, str)
    elif isinstance(checked, str) or isinstance(trained, str):
        assert (type(checked), line_of(str(checked))) == (type(trained), line_of(str(trained))), (checked, trained)
    else:
        # NaN is not equal to itself.
        assert repr(checked) == repr(trained)


CONTRACTS = [
    NOTHING,
    contract_of(),
    contract_of(header=True),
    contract_of(header=True, label="price"),
    contract_of(label="shop"),
    contract_of(names=["0", "1", "2"], label="1"),
]


@st.composite
def text_tables(draw: st.DrawFn) -> tuple[tuple[str, bytes], Contract]:
    """A CSV or TSV file, and a contract that it mostly fits."""
    contract = draw(st.sampled_from(CONTRACTS))
    return draw(delimited_files(contract.names or None, header=contract.header)), contract


@st.composite
def json_tables(draw: st.DrawFn) -> tuple[tuple[str, bytes], Contract]:
    """A JSON Lines file or a JSON array, and a contract that it mostly fits."""
    contract = draw(st.sampled_from(CONTRACTS))
    names = draw(st.sampled_from([None, contract.names or NAMES]))
    if draw(st.booleans()):
        return draw(files(json_arrays(names), draw(st.sampled_from([".json", ".JSON"])))), contract
    return draw(files(json_lines(names), draw(st.sampled_from([".jsonl", ".ndjson", ".JSONLines"])))), contract


@given(table=text_tables())
@example(table=(("rows.csv", b"a,1\rb,2\r"), NOTHING))
@example(table=(("rows.csv", b'a,1\n""\n \nb,2\n'), NOTHING))
@example(table=(("rows.csv", b'a,"1"2\nb,3\n'), NOTHING))
@example(table=(("rows.csv", b'"a\nb",1\nb,"2\n'), NOTHING))
@example(table=(("rows.csv", b"a,1\n\xef\xbb\xbfb,2\n"), NOTHING))
@example(table=(("rows.csv", b"0,1,2\na,3,4\n"), CONTRACTS[-1]))
@example(table=(("rows.csv", b"a," + b"9" * 1_100_000 + b"\n"), NOTHING))
@example(table=(("rows.csv", b'a,"' + b"9" * 140_000 + b'"\n'), NOTHING))
@example(table=(("rows.csv", b"a" + b',"\n"' * 400_000 + b"\n"), NOTHING))
def test_csv_and_tsv_have_the_same_rows_on_the_same_lines(table: tuple[tuple[str, bytes], Contract]) -> None:
    assert_same_rows(*table[0], table[1])


@given(table=json_tables())
@example(table=(("rows.jsonl", b'["a", 1]\n{"l": "b", "x": 2}\n'), NOTHING))
@example(table=(("rows.jsonl", b'{"l": "a", "x": 1}\n{"x": 2, "l": "b"}\n'), NOTHING))
@example(table=(("rows.jsonl", b'{"l": "a", "x": 1}\n{"l": "b"}\n'), NOTHING))
@example(table=(("rows.jsonl", b'{"price": 1, "bought": "a"}\n'), CONTRACTS[1]))
@example(table=(("rows.jsonl", b'["a", 1]\n\xef\xbb\xbf["b", 2]\n'), NOTHING))
@example(table=(("rows.json", b'[["a", 1], ["b", 2]]'), NOTHING))
@example(table=(("rows.json", b'[["a", 1],\n["b"'), NOTHING))
@example(table=(("rows.json", b'[["a", 1], ["b", 2],]'), NOTHING))
@example(table=(("rows.json", b'{"a": [1, 2]}'), NOTHING))
@example(table=(("rows.json", b'[["a", 1], ["b", "\xc3\xa4\xff"]]'), NOTHING))
@example(table=(("rows.json", b'[["a", 1], ["' + b"b" * 1_100_000 + b'", 2]]'), NOTHING))
@example(table=(("rows.json", b"[" + b"[" * 100_000), NOTHING))
def test_json_has_the_same_rows_on_the_same_lines(table: tuple[tuple[str, bytes], Contract]) -> None:
    assert_same_rows(*table[0], table[1])


# ---- the verdict, and what is learned from the rows


def checked(name: str, data: bytes, contract: Contract) -> Checked | str | None:
    """The table, the problem, or None when the check leaves the file to the algorithm."""
    format_ = format_of(name)
    assert format_ is not None
    try:
        table = read_table(content_of(name, data), format_, contract)
        if table is None:
            return None
        check_training([table], contract)
    except ConfigurationError as error:
        return str(error)
    return table


def trained(name: str, data: bytes, contract: Contract) -> Trained | str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            table = read_labelled("train", [path], Columns.from_env(variables(contract)))
            check_classes(table)
        except DataError as error:
            return str(error)
    return table


def assert_same_table(checked: Checked, trained: Trained, contract: Contract) -> None:
    assert checked.count == len(trained)
    if checked.labels:
        assert checked.labels == Counter(trained.labels.tolist())
    for row, features in zip(checked.kept, trained.features.tolist(), strict=bool(checked.kept)):
        del row[contract.label_index]
        assert [number_in(cell) for cell in row] == features


def number_in(cell: str) -> float:
    """A cell as training must read it."""
    booleans = {"true": 1.0, "false": 0.0}
    return booleans[cell.lower()] if cell.lower() in booleans else float(cell)


@settings(max_examples=300)
@given(table=st.one_of(text_tables(), json_tables()))
def test_with_a_contract_the_verdict_is_the_same(table: tuple[tuple[str, bytes], Contract]) -> None:
    file, contract = table
    assume(contract.columns)
    says, learns = checked(*file, contract), trained(*file, contract)
    if says is None:
        assert isinstance(learns, str)
    elif not isinstance(says, str) and not isinstance(learns, str):
        assert_same_table(says, learns, contract)
    else:
        # The type in a contract may be stricter than training, for which true is 1, and a label that is 1 is '1'.
        stricter = isinstance(says, str) and re.search(r"(?i)'?(true|false)'? is not a number|is not a string", says)
        assert stricter or type(says) is type(learns), (says, learns)


# What only the algorithm knows: whether features must be numbers, and which member of an object is the label.
ALGORITHMS = re.compile(r"is not a finite number|the value is missing")
OBJECTS = re.compile(r"is not a label|the label is missing|only one class|a single row")


@settings(max_examples=300)
@given(table=st.one_of(text_tables(), json_tables()))
@example(table=(("rows.csv", b"a,1\nb,1e39\n"), NOTHING))
@example(table=(("rows.csv", b"a,\nb,1e39\n"), NOTHING))
@example(table=(("rows.csv", b"a ,1\na,2\n"), NOTHING))
@example(table=(("rows.jsonl", b'["a", 1]\n["b", 1e39]\n'), NOTHING))
@example(table=(("rows.jsonl", b'["a", 1]\n["b", 1e999]\n'), NOTHING))
@example(table=(("rows.jsonl", b'["a", 1]\n["a\\u0000", 1]\n'), NOTHING))
@example(table=(("rows.jsonl", b'["a", 1]\n[null, 1]\n'), NOTHING))
def test_without_a_contract_the_verdict_is_the_same_but_for_what_the_algorithm_knows(
    table: tuple[tuple[str, bytes], Contract],
) -> None:
    file, _ = table
    says, learns = checked(*file, NOTHING), trained(*file, NOTHING)
    if says is None:
        assert isinstance(learns, str)
    elif not isinstance(says, str) and not isinstance(learns, str):
        assert_same_table(says, learns, NOTHING)
    elif isinstance(says, str):
        assert isinstance(learns, str), (says, learns)
    else:
        assert isinstance(learns, str)
        too_large_among_texts = "beyond 32-bit" in learns and has_texts(says)
        known = ALGORITHMS.search(learns) or too_large_among_texts or (not says.labels and OBJECTS.search(learns))
        assert known, (says, learns)


def has_texts(table: Checked) -> bool:
    """Whether a feature of a CSV file has texts, so that no number in it can be too large."""
    return any(not is_number(cell) and cell.strip() for row in table.kept for cell in row[1:])


def saved(rows: list[list[str]]) -> bytes:
    """A NumPy file of texts."""
    file = io.BytesIO()
    np.save(file, np.array(rows))
    return file.getvalue()


_OF_THE_LABEL = r"column 1 \(a\): .*(is not a number|is not finite|is missing \()"
STRICTER = re.compile(rf"(True|False|true|false)'? is not a number|{_OF_THE_LABEL}", re.DOTALL)
ALL_NUMBERS = parse_contract(
    '{"columns": [{"name": "a", "type": "number"}, {"name": "b", "type": "number"}, {"name": "c", "type": "number"}]}',
    "",
)


@given(data=numpy_files())
@example(data=saved([["0", "0", "0"], ["x", "0", "0"]]))
@example(data=saved([["0", "0", "0"], ["nan", "0", "0"]]))
@example(data=saved([["0", "0", "0"], ["inf", "0", "0"]]))
def test_numpy_arrays_are_judged_alike(data: bytes) -> None:
    says, learns = checked("rows.npy", data, ALL_NUMBERS), trained("rows.npy", data, ALL_NUMBERS)
    if says is None:
        # The check leaves an array that is no table to the algorithm, and does not look for its end.
        assert isinstance(learns, str)
    elif isinstance(says, str) or isinstance(learns, str):
        # The type in a contract may be stricter than training, for which true is 1, and a label any text.
        stricter = isinstance(says, str) and STRICTER.search(says)
        assert stricter or type(says) is type(learns), (says, learns)
    else:
        assert_same_table(says, learns, ALL_NUMBERS)


@given(data=numpy_files())
def test_without_a_contract_an_array_must_only_be_whole_and_not_pickled(data: bytes) -> None:
    says, learns = checked("rows.npy", data, NOTHING), trained("rows.npy", data, NOTHING)
    if isinstance(says, str):
        assert isinstance(learns, str), says
    elif says is not None and not isinstance(learns, str):
        assert says.count == len(learns)
