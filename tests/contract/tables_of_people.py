"""Files as people and programs write them, good and bad: for what two readers must understand alike."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

_MARK = b"\xef\xbb\xbf"
_NUMBERS = [
    *("0", "-1", "3.5", " 2 ", "1e5", ".5", "5.", "+7", "3.4e38", "-3.5e38", "1e39", "1e400", "1e-400", "9" * 40),
    *("nan", "NaN", "inf", "-Infinity", "1_000", "0x10", "1,5", "１２", "true", "False"),
]
_TEXTS = [
    "",
    " ",
    "NA",
    "null",
    "a",
    "b",
    'he said "no"',
    "x,y",
    "two\nlines",
    "a\rb",
    "größe",
    "\ufeff",
    "\u2028",
    "'",
]

numbers = st.one_of(st.integers(-9, 9).map(str), st.floats(allow_nan=False).map(repr), st.sampled_from(_NUMBERS))
texts = st.one_of(st.sampled_from(_TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=4))
digits = st.integers(-9, 9).map(str)
cells = st.one_of(digits, numbers, texts)


@st.composite
def delimited(draw: st.DrawFn, separator: str, names: list[str] | None = None, width: int | None = None) -> bytes:
    """A CSV or TSV file; its header has the names, if there are any."""
    columns = width or draw(st.integers(2, 4))
    how = draw(st.sampled_from(["good", "one odd cell", "wild"]))
    rows = [
        [draw(st.sampled_from("ab")), *(draw(cells if how == "wild" else digits) for _ in range(columns - 1))]
        for _ in range(draw(st.integers(2, 6)))
    ]
    if how == "one odd cell":
        draw(st.sampled_from(rows))[draw(st.integers(0, columns - 1))] = draw(st.one_of(numbers, texts))
    if how == "wild" and draw(st.integers(0, 3)) == 0:
        draw(st.sampled_from(rows)).append("0")
    if names:
        rows.insert(0, names)
    text = io.StringIO(newline="")
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n", "\n \n", *(["\r"] if how == "wild" else [])]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return _mangled(draw, text.getvalue().encode(errors="replace"), good=how == "good")


_values = st.one_of(
    st.integers(-9, 9),
    st.integers(-9, 9),
    st.floats(),
    st.sampled_from([None, 10**39, -(10**400), 1e39, 3e38, "a", "1", "", True, [], {}, 2**63]),
)
_json_labels = st.sampled_from(["a", "b", " a", 0, 1, 1.5, True, None, "", float("nan"), [], "x\0", "x"])


def _json_values(draw: st.DrawFn, names: list[str] | None) -> tuple[list[str], str]:
    """Lists without names, else objects, as JSON, and how they are: good, with one odd cell, or wild."""
    columns = names or ["l", "x", "y"]
    how = draw(st.sampled_from(["good", "one odd cell", "wild"]))
    rows: list[list[Any]] = [
        [draw(st.sampled_from("ab")), *(draw(_values if how == "wild" else st.integers(-9, 9)) for _ in columns[1:])]
        for _ in range(draw(st.integers(2, 6)))
    ]
    if how == "one odd cell":
        draw(st.sampled_from(rows))[draw(st.integers(0, 2))] = draw(st.one_of(_values, _json_labels))
    values: list[Any] = [*rows]
    if names is not None:
        values = [dict(draw(st.permutations(list(zip(columns, row, strict=True))))) for row in rows]
    if how == "wild" and draw(st.booleans()):
        odd = st.sampled_from([1, {}, [], rows[0][:1], dict(zip(columns, rows[0][:2], strict=False)), {"z": 1}])
        values[draw(st.integers(0, len(values) - 1))] = draw(odd)
    return [json.dumps(value, ensure_ascii=draw(st.booleans())) for value in values], how


@st.composite
def json_lines(draw: st.DrawFn, names: list[str] | None = None) -> bytes:
    """A JSON Lines file: of lists without names, else of objects."""
    lines, how = _json_values(draw, names)
    text = draw(st.sampled_from(["\n", "\r\n", "\n \n"])).join(lines)
    return _mangled(draw, text.encode(errors="replace"), good=how == "good")


@st.composite
def json_arrays(draw: st.DrawFn, names: list[str] | None = None) -> bytes:
    """A JSON array: of lists without names, else of objects."""
    values, how = _json_values(draw, names)
    end = "]" if how == "good" else draw(st.sampled_from(["]", "]", "]", ",]", "", "] 1", "]]"]))
    text = "[" + draw(st.sampled_from([",", ", ", "\n,\r\n\t"])).join(values) + end
    return _mangled(draw, (draw(st.sampled_from(["", " \n"])) + text).encode(errors="replace"), good=how == "good")


@st.composite
def numpy_files(draw: st.DrawFn) -> bytes:
    """A NumPy file of three columns, or another array; whole or not."""
    kind = draw(st.sampled_from(["<f8", ">f4", "<f2", "<i8", ">i2", "|u1", "|b1", "<U4", ">U2", "<c16", "|S3", "|O"]))
    shape: tuple[int, ...] = (draw(st.integers(2, 5)), 3)
    if draw(st.integers(0, 4)) == 0:
        shape = draw(st.sampled_from([(4,), (2, 2, 2), (4, 1), (0, 3), (4, 2), (3, 0)]))
    cells = st.sampled_from([0, 1, 1, 0, *([2.5, float("nan"), 7e38, float("inf")] if kind[1] == "f" else [])])
    count = int(np.prod(shape))
    values = np.array([draw(cells) for _ in range(count)]).reshape(shape)
    file = io.BytesIO()
    with np.errstate(over="ignore"):
        array = values.astype(kind, order=draw(st.sampled_from(["C", "F"])))
    np.save(file, array, allow_pickle=True)
    whole = file.getvalue()
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(whole) - 1))
        return whole[:place] + draw(st.binary(max_size=3)) + whole[place + 1 :]
    return whole if draw(st.integers(0, 4)) else whole[: draw(st.integers(0, len(whole) - 1))]


def _mangled(draw: st.DrawFn, content: bytes, *, good: bool) -> bytes:
    if draw(st.booleans()):
        content = _MARK + content
    if not good and content and draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(content)))
        content = (
            content[:place] + draw(st.sampled_from([b'"', b"\r", b"\n", b",", b"\0", b"\xff", b" "])) + content[place:]
        )
    return content


@st.composite
def packed(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with gzip: in one member or several, complete or not."""
    cut = draw(st.integers(0, len(content)))
    whole = gzip.compress(content[:cut]) + gzip.compress(content[cut:])
    how = draw(st.sampled_from(["whole", "whole", "whole", "zeros", "junk", "cut", "wrong"]))
    return {
        "whole": whole,
        "zeros": whole + b"\0\0",
        "junk": whole + b"junk",
        "cut": whole[: draw(st.integers(1, len(whole) - 1))],
        "wrong": content or b"x",
    }[how]


@st.composite
def files(draw: st.DrawFn, contents: st.SearchStrategy[bytes], suffix: str) -> tuple[str, bytes]:
    """Name and content of a file, packed or not."""
    content = draw(contents)
    if draw(st.integers(0, 4)):
        return f"rows{suffix}", content
    return f"rows{suffix}.gz", draw(packed(content))


@st.composite
def delimited_files(draw: st.DrawFn, names: list[str] | None, *, header: bool) -> tuple[str, bytes]:
    """A CSV or TSV file that mostly has the columns that are expected."""
    separator, suffix = draw(st.sampled_from([(",", ".csv"), ("\t", ".tsv"), (",", ".CSV")]))
    expected = draw(st.integers(0, 9)) > 0
    begins = names if header is expected else None
    width = len(names) if names is not None and expected else None
    return draw(files(delimited(separator, begins, width), suffix))
