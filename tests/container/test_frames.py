"""Records with columns of text: read for training, stored beside the model, and decoded by the server."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import pytest
from contract.tables_of_people import delimited_files, files, json_arrays, json_lines, numpy_files
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sagemaker_contract.columns import Columns
from sagemaker_contract.errors import DataError, InputError, ModelError
from sagemaker_contract.formats.frame_bodies import frame_decoders
from sagemaker_contract.formats.limits import Limits
from sagemaker_contract.formats.media_types import CSV, JSON, JSON_LINES
from sagemaker_contract.frame_files import read_frame
from sagemaker_contract.frames import NUMBER, TEXT, Field, Frame, read_fields, to_cells, write_fields
from sagemaker_contract.tables import check_classes, check_same_shape, hold_out, read_labelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Job, StartServer

numpy_arrays = numpy_files().map(lambda content: ("rows.npy", content))
FIELDS = (Field("shop", TEXT), Field("price", NUMBER), Field("note", TEXT))
ROWS = [["tech", 3.5, "a, b"], ["food", 2.0, ""]]


def frame_of(tmp_path: Path, content: str, name: str = "x.csv", **options: Any) -> Frame:
    (tmp_path / name).write_text(content, encoding="utf-8")
    return read_frame("train", [tmp_path / name], **options)


def test_columns_have_the_type_of_their_cells(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, 'yes,tech,3.5,"a, b",001\nno,,NA,"日本",002\n', text=["column_5"])
    assert frame.fields == (
        *(Field("column_2", TEXT), Field("column_3", NUMBER), Field("column_4", TEXT), Field("column_5", TEXT)),
    )
    assert frame.cells[0].tolist() == ["tech", 3.5, "a, b", "001"]
    assert frame.column("column_2").tolist() == ["tech", ""]
    assert math.isnan(frame.column("column_3")[1])
    assert frame.numbers().shape == (2, 1)
    assert frame.labels.tolist() == ["yes", "no"]


def test_every_format_has_the_same_cells(tmp_path: Path) -> None:
    names = Columns(("bought", "shop", "price"), header=True, label="bought")
    parquet.write_table(
        pyarrow.table({"shop": ["tech", None], "price": [3.5, None], "bought": ["yes", "no"]}), tmp_path / "x.parquet"
    )
    frames = [
        frame_of(tmp_path, "bought,shop,price\nyes,tech,3.5\nno,,\n", columns=names),
        frame_of(
            tmp_path,
            '{"shop": "tech", "bought": "yes", "price": 3.5}\n{"bought": "no", "price": null, "shop": null}\n',
            "x.jsonl",
            columns=names,
        ),
        read_frame("train", [tmp_path / "x.parquet"], names),
    ]
    for frame in frames:
        assert frame.fields == (Field("shop", TEXT), Field("price", NUMBER))
        assert str(frame.cells.tolist()) == "[['tech', 3.5], ['', nan]]"


def test_frames_are_divided_and_checked_like_tables(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, "".join(f"{'ab'[n % 2]},shop {n},{n}\n" for n in range(40)))
    rest, held = hold_out(frame, 0.2, seed=0)
    assert (len(rest), len(held)) == (32, 8)
    check_classes(rest)
    check_same_shape(rest, held)


@settings(max_examples=40)
@given(
    file=st.one_of(
        delimited_files(None, header=False), files(json_lines(), ".jsonl"), files(json_arrays(), ".json"), numpy_arrays
    )
)
def test_what_a_table_has_a_frame_has_alike(file: tuple[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file[0]
        path.write_bytes(file[1])
        try:
            table = read_labelled("train", [path])
        except DataError:
            return
        frame = read_frame("train", [path])
    assert frame.labels.tolist() == table.labels.tolist()
    assert frame.numbers().tolist() == table.features.tolist()


def test_frames_have_numbers_as_labels_where_they_are_asked_for(tmp_path: Path) -> None:
    content = "".join(f"{n / 10},shop {n}\n" for n in range(40))
    rest, held = hold_out(frame_of(tmp_path, content, numbers=True), 0.2, seed=0)
    assert (len(rest), len(held)) == (32, 8)
    assert rest.labels.dtype == np.float64
    with pytest.raises(DataError, match="this algorithm tells classes apart"):
        hold_out(frame_of(tmp_path, content), 0.2, seed=0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,shop,high\n", "x.csv line 1, column 3: 'high' is not a number, as in 'train'"),
        ("a,shop\n", "the channel 'validation' has 1 feature columns, 'train' has 2"),
        ("", "x.csv is empty"),
    ],
)
def test_validation_has_the_columns_of_train(tmp_path: Path, content: str, reason: str) -> None:
    train = frame_of(tmp_path, "a,shop,1\nb,shop,2\n")
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=f"^{reason}"):
        read_frame("validation", [tmp_path / "x.csv"], like=train)
    (tmp_path / "x.csv").write_text("a,shop,\n")
    assert len(read_frame("validation", [tmp_path / "x.csv"], like=train)) == 1


def test_fields_and_sample_come_back_from_the_model(tmp_path: Path) -> None:
    written = Frame(FIELDS, to_cells([["tech", math.nan, "x"]], 3), np.array(["a"]))
    assert read_fields(tmp_path) is None
    write_fields(tmp_path, written)
    found = read_fields(tmp_path)
    assert found is not None
    assert found.fields == FIELDS
    assert str(found.cells.tolist()) == "[['tech', nan, 'x']]"
    (tmp_path / "serving" / "columns.json").write_text("{}")
    with pytest.raises(ModelError, match=r"^serving/columns.json of the model is corrupt"):
        read_fields(tmp_path)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CSV, 'tech,3.5,"a, b"\r\nfood,2,\r\n'),
        (CSV, 'shop,price,note\ntech,3.5,"a, b"\nfood,2.0,""\n'),
        (JSON, '[["tech", 3.5, "a, b"], ["food", 2, null]]'),
        (JSON, '{"instances": [{"price": 3.5, "shop": "tech", "note": "a, b"}, ["food", 2, ""]]}'),
        (JSON_LINES, '{"price": 3.5, "shop": "tech", "note": "a, b"}\n{"features": ["food", "2", ""]}\n'),
    ],
)
def test_bodies_become_cells(kind: str, body: str) -> None:
    assert frame_decoders(FIELDS)[kind](body.encode(), Limits()).tolist() == ROWS


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (CSV, "tech,high,x", "record 1, column 2 (price): 'high' is not a number"),
        (CSV, "tech,inf,x", "record 1, column 2 (price): 'inf' is not a number"),
        (CSV, "tech,1,x\ntech,1", "record 2 has 2 values, but each needs 3: shop, price, note"),
        (CSV, '"tech,1,x', "record 1: unexpected end of data"),
        (CSV, "shop,price,note\n", "there are no records"),
        (JSON, '{"shop": "x", "price": 1}', "record 1 has no 'note'; send null if it is unknown; the columns are shop"),
        (
            JSON,
            '[{"shop": "x", "price": 1, "note": "", "y": 1}]',
            "record 1 has 'y'; the columns are shop, price, note",
        ),
        (JSON, '["tech", 1, ["x"]]', "record 1, column 3 (note): \"['x']\" is not a text"),
        (JSON, "3", "record 1 is neither a list of values nor an object with the names of the columns"),
        (JSON, "[]", "record 1 has 0 values"),
        (JSON, '["tech", NaN, "x"]', "the body is not JSON: NaN is not a number"),
        (JSON_LINES, '["tech", 1, "x"]\n{', "record 2 is not JSON"),
    ],
)
def test_bodies_that_are_no_records_are_refused_by_place(kind: str, body: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        frame_decoders(FIELDS)[kind](body.encode(), Limits())
    assert str(caught.value).startswith(reason)


def test_records_are_limited_while_they_are_read() -> None:
    with pytest.raises(InputError, match=r"^a request may have 2 records, got 3$"):
        frame_decoders(FIELDS)[CSV](b"tech,1,x\n" * 1000, Limits(3, 100, 2))


ALGORITHM = """
import json
from collections import Counter
from dataclasses import dataclass

from sagemaker_contract.frame_files import read_frame
from sagemaker_contract.tables import hold_out


@dataclass(frozen=True)
class Hyperparameters:
    pass


def load_data(channels, hyperparameters):
    return hold_out(read_frame("train", channels["train"]), 0.5, 0)


def train(data, hyperparameters, run):
    return {shop: label for shop, label in zip(data.column("column_2"), data.labels.tolist())}


def metrics(model, data):
    return {"accuracy": sum(given == label for given, label in zip(predict(model, data), data.labels)) / len(data)}


def predict(model, records):
    return [model.get(shop, "unknown") for shop in records.column("column_2")]


def save(model, directory):
    (directory / "model.json").write_text(json.dumps(model))


def load(directory):
    return json.loads((directory / "model.json").read_text())
"""


def test_text_reaches_predict_from_training_to_the_endpoint(
    job: Job, light_container: Callable[[str], Path], start_server: StartServer
) -> None:
    container = light_container("")
    (container / "algorithm.py").write_text(ALGORITHM, encoding="utf-8")
    job.program = container / "train"
    outcome = job.channel("train", shops='yes,"tech, old",1\nno,食,2\n' * 4).run()
    assert outcome.code == 0, outcome.stderr
    assert outcome.metrics["validation:accuracy"] == 1
    assert "serving: predict gets frames with the columns column_2, column_3; no ONNX" in outcome.stdout
    server = start_server(job.base, container).wait_until_ready()
    assert server.invoke('"tech, old",1\n食,\n'.encode()).body == "yes\nno\n"
    objects = '{"instances": [{"column_2": "食", "column_3": null}]}'
    assert server.invoke(objects.encode(), "application/json").body == '{"predictions": ["no"]}'
    assert server.invoke("tech,high").error == "record 1, column 2 (column_3): 'high' is not a number"
    assert server.invoke(b"x", "application/x-npy").status == 415
