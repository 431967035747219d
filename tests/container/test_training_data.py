"""Data nobody can train on: the job says which file, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from sagemaker_contract.errors import DataError
from sagemaker_contract.tables import Table, check_classes, check_same_shape, hold_out, read_labelled

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Job

GOOD = "setosa,5.1,3.5\nvirginica,6.7,3.0\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            GOOD.encode() + b"set\xe9,1,2\n", "data.csv line 3: not UTF-8 text; save the file as UTF-8", id="not UTF-8"
        ),
        pytest.param(
            "setosa,1,2\nsetosa,3,4\n",
            "the channel 'train' has only one class: 'setosa' in all 2 rows",
            id="one class",
        ),
    ],
)
def test_20_job_fails_with_the_exact_reason(job: Job, content: str | bytes, reason: str) -> None:
    outcome = job.channel("train", data=content).run()
    assert outcome.code == 1
    assert job.failure == reason
    assert "Traceback (most recent call last)" in outcome.stderr
    assert not job.model.exists()


def read(folder: Path, *contents: str | bytes) -> Table:
    files = [folder / f"{number}.csv" for number in range(1, len(contents) + 1)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_labelled("train", files)


def test_byte_order_mark_crlf_and_blank_lines_are_fine(tmp_path: Path) -> None:
    table = read(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n\r\n").encode())
    assert table.labels.tolist() == ["setosa", "virginica"]
    assert table.features.tolist() == [[5.1, 3.5], [6.7, 3.0]]


def test_quoted_label_may_hold_a_comma(tmp_path: Path) -> None:
    assert read(tmp_path, '"Iris, wild",1,2\nsetosa,3,4\n').labels[0] == "Iris, wild"


def test_the_largest_numbers_of_32_bits_are_fine(tmp_path: Path) -> None:
    assert read(tmp_path, "a,3.4e38,-3.4e38\nb,1,2\n").features[0].tolist() == [3.4e38, -3.4e38]


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        pytest.param(
            ["name,height\nsetosa,1\n"],
            "1.csv line 1: looks like a header; remove it, or name the columns in a data contract with header=True",
            id="header",
        ),
        pytest.param(["setosa,1,\n"], "1.csv line 1, column 3: the value is missing", id="missing value"),
        pytest.param(["a,1\n ,2\n"], "1.csv line 2, column 1: the label is missing", id="missing label"),
        pytest.param(["a,1\nb,-inf\n"], "1.csv line 2, column 2: '-inf' is not a finite number", id="infinity"),
        pytest.param(
            ["a\nb\n"],
            "1.csv line 1: only one column; a label and at least one feature are needed",
            id="one column",
        ),
        pytest.param([""], "1.csv is empty", id="empty"),
        pytest.param([GOOD + "a,5\n"], "1.csv line 3: 2 columns, but 1.csv line 1 has 3", id="ragged"),
        pytest.param([GOOD + "a,5,nan\n"], "1.csv line 3, column 3: 'nan' is not a finite number", id="NaN"),
        pytest.param([GOOD + "a,tall,1\n"], "1.csv line 3, column 2: 'tall' is not a finite number", id="text"),
        pytest.param(
            ["a,1\nb,1e39\n"],
            "1.csv line 2, column 2: 1e+39 is beyond 32-bit floating point (at most 3.403e+38); scale the column",
            id="beyond 32 bits",
        ),
        pytest.param(["a;1;2\n"], "needed; this line seems to be separated by ';'", id="semicolons"),
        pytest.param(["a,1\rb,2\r"], "1.csv line 1: a carriage return within the line; save", id="carriage returns"),
        pytest.param(['a,1\n"b,2\n'], "1.csv line 2: a quote that opens here is not closed", id="open quote"),
        pytest.param(["a,1\nb,\0\n"], "1.csv line 2: a NUL byte; is this a text file", id="NUL"),
        pytest.param([GOOD, "a,1\n"], "2.csv line 1: 2 columns, but 1.csv line 1 has 3", id="other file"),
        pytest.param([GOOD, "\n"], "2.csv is empty", id="second file empty"),
        pytest.param([f"a,1\nb,{'x' * 99}\n"], f"2: '{'x' * 40}…' is not a finite number", id="long cell"),
    ],
)
def test_reading_names_the_place(tmp_path: Path, contents: list[str], reason: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, *contents)
    assert reason in str(caught.value)


def write_parquet(path: Path, **columns: list[object]) -> None:
    parquet.write_table(pyarrow.table(columns), path)


def test_formats_can_stand_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(GOOD)
    (tmp_path / "2.jsonl").write_text('["setosa", 5, 3.5]\n\n["virginica", 6.5, 3]\n')
    (tmp_path / "3.ndjson").write_text('{"name": "setosa", "length": 1, "width": 2}\n')
    write_parquet(tmp_path / "4.parquet", name=["rose"], length=[7.5], width=[8])
    table = read_labelled("train", sorted(tmp_path.iterdir()))
    assert table.labels.tolist() == ["setosa", "virginica", "setosa", "virginica", "setosa", "rose"]
    assert table.features[2:].tolist() == [[5, 3.5], [6.5, 3], [1, 2], [7.5, 8]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('["a", 1]\n["b", 1\n', "x.jsonl line 2: not JSON: "),
        ('["a", 1]\n["b", "2"]\n', "x.jsonl line 2, column 2: '2' is not a finite number"),
        (f'["a", 1]\n["b", 1{"0" * 400}]\n', f"x.jsonl line 2, column 2: '1{'0' * 39}…' is not a finite number"),
        ('["a", 1]\n[["b"], 1]\n', "x.jsonl line 2, column 1: \"['b']\" is not a label"),
        ('["a", 1]\n["b", null]\n', "x.jsonl line 2, column 2: the value is missing"),
        ('["a", 1]\n["b", NaN]\n', "x.jsonl line 2, column 2: 'nan' is not a finite number"),
        ('["a", 1]\n[null, 1]\n', "x.jsonl line 2, column 1: the label is missing"),
        ('["a", 1]\n3\n', "x.jsonl line 2: neither a JSON list nor an object"),
        ('{"l": "a", "x": 1}\n["b", 1]\n', "x.jsonl line 2: a list, but x.jsonl line 1 is not"),
        ('{"l": "a", "x": 1}\n{"l": "a"}\n', "x.jsonl line 2: there is no column x, but x.jsonl line 1 has it"),
        (
            '{"l": "a", "x": 1}\n{"y": 1, "l": "a"}\n',
            "x.jsonl line 2: x.jsonl line 1 has no column y; remove it",
        ),
    ],
)
def test_json_lines_name_the_place(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(DataError) as caught:
        read_labelled("train", [tmp_path / "x.jsonl"])
    assert str(caught.value).startswith(reason)


def test_parquet_names_the_row(tmp_path: Path) -> None:
    write_parquet(tmp_path / "x.parquet", name=["a", "b"], length=[1.0, None])
    with pytest.raises(DataError, match=r"^x.parquet row 2, column 2 \(length\): the value is missing; fill it in"):
        read_labelled("train", [tmp_path / "x.parquet"])


def test_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("a,1\n")
    with pytest.raises(DataError, match=r"^x.parquet is not a Parquet file: "):
        read_labelled("train", [tmp_path / "x.parquet"])


def test_a_single_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the channel 'train' contains a single row; at least two are needed"):
        check_classes(read(tmp_path, "a,1\n"))


def test_two_classes_are_enough(tmp_path: Path) -> None:
    check_classes(read(tmp_path, GOOD))


def test_validation_with_other_columns_is_refused(tmp_path: Path) -> None:
    train, validation = read(tmp_path, GOOD), read(tmp_path, "setosa,1\nvirginica,2\n")
    with pytest.raises(DataError, match="'validation' has 1 feature columns, 'train' has 2"):
        check_same_shape(train, validation)


def test_validation_with_an_unknown_label_is_refused(tmp_path: Path) -> None:
    train, validation = read(tmp_path, GOOD), read(tmp_path, "setosa,1,2\nrose,2,3\n")
    with pytest.raises(DataError, match="labels that 'train' does not have: 'rose'"):
        check_same_shape(train, validation)


def test_held_out_rows_keep_the_classes_in_proportion(tmp_path: Path) -> None:
    table = read(tmp_path, "a,1\n" * 50 + "b,2\n" * 10 + "c,3\n")
    rest, held = hold_out(table, 0.2, seed=0)
    assert sorted(held.labels.tolist()) == ["a"] * 10 + ["b"] * 2
    assert len(rest) + len(held) == len(table)
    assert "c" in rest.labels


def test_holding_out_nearly_all_leaves_a_row_of_each_class(tmp_path: Path) -> None:
    rest, _ = hold_out(read(tmp_path, "a,1\n" * 5 + "b,2\n"), 0.99, seed=0)
    assert sorted(rest.labels.tolist()) == ["a", "b"]


def test_held_out_rows_are_the_same_each_time(tmp_path: Path) -> None:
    table = read(tmp_path, "".join(f"{'ab'[n % 2]},{n}\n" for n in range(40)))
    first, again = (hold_out(table, 0.2, seed=3)[1].features.tolist() for _ in range(2))
    assert first == again


def test_too_few_rows_to_hold_any_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"too few rows \(2, in 2 classes\) to hold some out for validation"):
        hold_out(read(tmp_path, GOOD), 0.2, seed=0)


def numbers(tmp_path: Path, *rows: str) -> Table:
    (tmp_path / "numbers.csv").write_text("".join(rows))
    return read_labelled("train", [tmp_path / "numbers.csv"], numbers=True)


def test_rows_of_numbers_are_held_out_at_random_and_not_by_class(tmp_path: Path) -> None:
    table = numbers(tmp_path, *(f"{n / 10},{n}\n" for n in range(300)))
    assert table.labels.dtype == np.float64
    rest, held = hold_out(table, 0.2, seed=0)
    assert (len(rest), len(held)) == (240, 60)
    assert abs(held.labels.mean() - table.labels.mean()) < 3
    check_classes(table)
    check_same_shape(rest, held)


@pytest.mark.parametrize("cell", ["high", "nan", "1_000", "inf"])
def test_label_of_a_regression_that_is_no_number_is_refused_with_its_place(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=f"^numbers.csv line 2, column 1: '{cell}' is not a number, and a regression"):
        numbers(tmp_path, "1.5,1\n", f"{cell},2\n")


def test_one_number_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has only one value: '2.0' in all 2 rows"):
        check_classes(numbers(tmp_path, "2,1\n", "2.0,3\n"))


@pytest.mark.parametrize(
    ("labels", "refused"),
    [
        ([n / 10 for n in range(100)] * 5, True),
        ([n * 7 for n in range(100)] * 2, True),
        ([n * 7 for n in range(100)] * 3, False),
        ([n / 2 for n in range(10)] * 3, False),
        ([f"n{n}" for n in range(100)] * 2, False),
    ],
)
def test_numbers_that_are_no_classes_are_refused_with_the_way_out(
    tmp_path: Path, labels: list[object], refused: bool
) -> None:
    table = read(tmp_path, "".join(f"{label},1\n" for label in labels))
    if not refused:
        hold_out(table, 0.5, seed=0)
        return
    for division in (lambda: hold_out(table, 0.5, seed=0), lambda: check_same_shape(table, table)):
        with pytest.raises(
            DataError, match=r"100 different labels .*; this algorithm tells classes apart; .*regression"
        ):
            division()
