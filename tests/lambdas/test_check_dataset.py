"""A data set is checked before it costs anything, and pinned to exactly the versions that were checked."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from check_dataset import manifest, parallel, source
from check_dataset.content import Content
from check_dataset.formats import Format
from check_dataset.table import Table, read_table
from hypothesis import given
from hypothesis import strategies as st
from lambdas.lake import EXECUTION, IRIS, Lake, make_lake

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

PINNED = f"datasets/iris-1a2b3c/{EXECUTION}"


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    return make_lake(load_event, set_env, write_document)


def test_one_object_becomes_the_channel_train(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", IRIS)
    assert lake.pinned()[f"{PINNED}/train/iris.csv"] == IRIS
    assert reports.outputs["DatasetUri"] == f"s3://artifacts/{PINNED}"
    assert reports.outputs["Channels"] == "train"


def test_exactly_the_version_of_the_event_is_pinned(lake: Lake, reports: Any) -> None:
    version = lake.put("datasets/iris.csv", IRIS)
    lake.put("datasets/iris.csv", IRIS.replace(b"5.1", b"9.9"))
    lake.check("datasets/iris.csv", version)
    assert lake.pinned()[f"{PINNED}/train/iris.csv"] == IRIS


def test_the_fingerprint_is_that_of_the_content(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", IRIS)
    facts = [["train", hashlib.sha256(IRIS).hexdigest()]]
    assert reports.outputs["Sha256"] == hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def test_equal_content_has_one_fingerprint_and_other_content_another(lake: Lake, reports: Any) -> None:
    for key, content in (("a.csv", IRIS), ("b.csv", IRIS), ("a.csv", IRIS + b"setosa,5.0,3.4\n")):
        lake.check_new(f"datasets/{key}", content)
    first, second, third = (one["outputVariables"]["Sha256"] for one in reports.requests["PutJobSuccessResult"])
    assert first == second != third


def test_golden_records_are_rows_of_train_by_default(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["GoldenUri"] == f"s3://artifacts/{PINNED}/golden.csv"
    assert lake.pinned()[f"{PINNED}/golden.csv"] == IRIS


def test_golden_records_are_spread_over_a_file_sorted_by_label(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", b"setosa,1\n" * 50 + b"virginica,2\n" * 50)
    rows = lake.pinned()[f"{PINNED}/golden.csv"].splitlines()
    assert len(rows) == 10
    assert set(rows) == {b"setosa,1", b"virginica,2"}


def test_a_manifest_names_many_objects(lake: Lake, reports: Any) -> None:
    lake.put("data/train.csv", IRIS)
    lake.put("data/validation.csv", IRIS)
    channels = {"train": [{"key": "data/train.csv"}], "validation": ["data/validation.csv"]}
    lake.check_new("datasets/iris.json", {"channels": channels})
    assert reports.outputs["Channels"] == "train,validation"
    assert {f"{PINNED}/train/train.csv", f"{PINNED}/validation/validation.csv"} <= lake.pinned().keys()


def test_the_keys_of_a_channel_keep_their_folders(lake: Lake, reports: Any) -> None:
    for key in ("data/p/cat/0.png", "data/p/dog/0.png", "data/v/cat/1.png"):
        lake.put(key, key.encode())
    validation = {"prefix": "data/v/", "objects": ["data/v/cat/1.png"]}
    lake.check_new(
        "datasets/p.json", {"channels": {"train": ["data/p/cat/0.png", "data/p/dog/0.png"], "validation": validation}}
    )
    pictures = {key: content for key, content in lake.pinned().items() if key.endswith(".png")}
    assert pictures == {
        f"{PINNED}/train/cat/0.png": b"data/p/cat/0.png",
        f"{PINNED}/train/dog/0.png": b"data/p/dog/0.png",
        f"{PINNED}/validation/cat/1.png": b"data/v/cat/1.png",
    }


def test_a_channel_is_said_to_be_what_its_files_are(lake: Lake, reports: Any) -> None:
    files = {
        "train": {"a.csv": IRIS, "b.tsv": IRIS.replace(b",", b"\t")},
        "pictures": {"cat/0.PNG": b"0", "dog/0.jpg": b"1"},
        "lines": {"a.jsonl.gz": gzip.compress(b'["a", 1, 2]\n')},
        "mixed": {"a.png": b"0", "b": b"1"},
    }
    for channel, contents in files.items():
        for name, content in contents.items():
            lake.put(f"data/{channel}/{name}", content)
    channels = {channel: [f"data/{channel}/{name}" for name in names] for channel, names in files.items()}
    lake.check_new("datasets/m.json", {"channels": channels})
    asked = json.loads(lake.pinned()[f"{PINNED}/request.json"])["channels"]
    types = {"pictures": "application/x-image", "lines": "application/jsonlines"}
    assert asked == {name: {"ContentType": type_} for name, type_ in types.items()}


def test_the_first_error_ends_the_requests_that_have_not_begun() -> None:
    calls = []

    def request(number: int) -> None:
        calls.append(number)
        if number == 0:
            raise ValueError
        time.sleep(0.05)

    with pytest.raises(ValueError, match=r"^$"):
        parallel.each(request, range(1000))
    assert len(calls) < 100


def test_pictures_that_change_their_folders_are_other_content(lake: Lake, reports: Any) -> None:
    for first, second in (("cat/0.png", "dog/0.png"), ("dog/0.png", "cat/0.png")):
        lake.put(f"data/p/{first}", b"one")
        lake.put(f"data/p/{second}", b"two")
        lake.check_new("datasets/p.json", {"channels": {"train": ["data/p/cat/0.png", "data/p/dog/0.png"]}})
    first_set, second_set = (one["outputVariables"]["Sha256"] for one in reports.requests["PutJobSuccessResult"])
    assert first_set != second_set


def test_every_file_tells_what_is_wrong_with_it(lake: Lake, reports: Any) -> None:
    for name, content in (("a", b"a,1\nb\n"), ("b", b"a,1\nb,2\n"), ("c", b"a,1\n,2\n"), ("d", b"a,1,1\n")):
        lake.put(f"data/{name}.csv", content)
    names = [f"data/{name}.csv" for name in "abc"]
    lake.check_new("datasets/i.json", {"channels": {"train": names, "test": ["data/d.csv"]}, "golden": "data/gone"})
    told = reports.message.splitlines()
    assert told[0] == "4 problems"
    for line, expected in zip(told[1:], ("a.csv", "c.csv", "differ in their number of columns", "gone"), strict=True):
        assert line.startswith("- ")
        assert expected in line


def test_a_manifest_may_name_an_older_version(lake: Lake, reports: Any) -> None:
    version = lake.put("data/train.csv", IRIS)
    lake.put("data/train.csv", b"newer,1\nother,2\n")
    lake.check_new("datasets/iris.json", {"channels": {"train": [{"key": "data/train.csv", "version_id": version}]}})
    assert lake.pinned()[f"{PINNED}/train/train.csv"] == IRIS


def test_golden_records_come_from_validation_before_train(lake: Lake, reports: Any) -> None:
    lake.put("data/train.csv", IRIS)
    lake.put("data/validation.csv", b"setosa,0.1,0.1\n")
    lake.check_new(
        "datasets/iris.json",
        {"channels": {"train": ["data/train.csv"], "validation": ["data/validation.csv"]}},
    )
    assert lake.pinned()[f"{PINNED}/golden.csv"] == b"setosa,0.1,0.1\n"


def test_a_manifest_may_name_its_golden_records(lake: Lake, reports: Any) -> None:
    lake.put("data/train.csv", IRIS)
    lake.put("data/golden.csv", b"setosa,0.2,0.2\n" * 30)
    lake.check_new(
        "datasets/iris.json", {"channels": {"train": ["data/train.csv"]}, "golden": {"key": "data/golden.csv"}}
    )
    assert lake.pinned()[f"{PINNED}/golden.csv"] == b"setosa,0.2,0.2\n" * 20


def test_another_form_than_csv_is_pinned_unread_without_golden_records(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.arrow", b"ARROW1\0\0")
    assert reports.outputs["GoldenUri"] == "none"
    assert lake.pinned() == {f"{PINNED}/train/iris.arrow": b"ARROW1\0\0"}


def test_an_uploaded_json_array_is_a_data_set(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.json", b'[{"label": "a", "x": 1}, {"label": "b", "x": 2}]')
    assert f"{PINNED}/train/iris.json" in lake.pinned()
    assert "2 rows inspected" in reports.only("success")["executionDetails"]["summary"]


def test_what_is_no_table_is_left_to_the_algorithm(lake: Lake, reports: Any) -> None:
    cube, labels = io.BytesIO(), io.BytesIO()
    np.save(cube, np.zeros((3, 2, 2)))
    np.save(labels, np.zeros((3, 1)))
    files = {
        "a.json": b'{"categories": []}',
        "b.json": b'["cat"]',
        "x.npy": cube.getvalue(),
        "y.npy": labels.getvalue(),
    }
    for name, content in files.items():
        lake.put(f"data/{name}", content)
    lake.check_new("datasets/d.json", {"channels": {"train": [f"data/{name}" for name in files]}})
    summary = reports.only("success")["executionDetails"]["summary"]
    assert "3 rows inspected, 3 objects not inspected: no tables" in summary


def test_an_array_of_python_objects_is_refused(lake: Lake, reports: Any) -> None:
    file = io.BytesIO()
    np.save(file, np.array([["a", 1], ["b", 2]], dtype=object))
    lake.check_new("datasets/a.npy", file.getvalue())
    assert "contains Python objects, which can run code when they are read" in reports.message


def test_01_a_second_delivery_gives_the_same_outputs(lake: Lake, reports: Any) -> None:
    version = lake.put("datasets/iris.csv", IRIS)
    lake.check("datasets/iris.csv", version)
    lake.check("datasets/iris.csv", version)
    first, second = reports.requests["PutJobSuccessResult"]
    assert first == second


def test_tags_of_the_source_stay_behind(lake: Lake, reports: Any) -> None:
    answer = lake.s3.put_object(Bucket="data", Key="datasets/iris.csv", Body=IRIS, Tagging="owner=etl")
    lake.check("datasets/iris.csv", answer["VersionId"])
    assert lake.s3.get_object_tagging(Bucket="artifacts", Key=f"{PINNED}/train/iris.csv")["TagSet"] == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the object is empty"),
        (b"\n\n", "no rows"),
        (b"setosa,5.1\n", "only 1 row"),
        (b"setosa\nversicolor\n", "line 1: 1 column"),
        (b"setosa,5.1\nversicolor,7.0,3.2\n", "line 2: 3 columns, but line 1 has 2"),
        (b"setosa,5.1\n,7.0\n", "line 2, column 1: the label is empty"),
        (b"setosa,5.1\nsetosa,7.0\n", "column 1: every sampled label is 'setosa'"),
        (b"setosa,5.1\nversicolor,7\xff\n", "line 2, column 2: byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfsetosa,5.1\nversicolor,7\xff\n", "line 2, column 2: byte 0xff is not UTF-8"),
        (b"setosa,5.1\nversi\0color,7\n", "line 2, column 1: a NUL byte"),
        (b"species,length\nsetosa,5.1\nversicolor,7.0\n", "line 1: looks like a header"),
        (b"x" * 1_100_000, "line 1: longer than 1048576 bytes; is this a text file?"),
    ],
)
def test_a_wrong_file_is_refused_by_place_before_anything_is_copied(
    lake: Lake, reports: Any, content: bytes, problem: str
) -> None:
    version = lake.put("datasets/iris.csv", content)
    lake.check("datasets/iris.csv", version)
    assert reports.message.startswith(f"s3://data/datasets/iris.csv (version {version})")
    assert problem in reports.message
    assert reports.kind == "ConfigurationError"
    assert lake.pinned() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + IRIS,
        IRIS.replace(b"\n", b"\r\n"),
        IRIS.rstrip(),
        IRIS + b"\n\n",
        b'"set,osa",5.1\n"versi""color",7.0\n',
        b"0,5.1\n1,7.0\n",
        "größe,5.1\nlänge,7.0\n".encode(),
    ],
    ids=["byte order mark", "CRLF", "no last newline", "blank lines", "quotes", "numeric labels", "umlauts"],
)
def test_a_right_file_in_another_dress_is_taken(lake: Lake, reports: Any, content: bytes) -> None:
    lake.check_new("datasets/iris.csv", content)
    assert reports.outputs["Channels"] == "train"


def test_a_large_file_is_judged_by_its_head_however_it_is_cut(lake: Lake, reports: Any) -> None:
    row = '"two\nlines, größe",1\nother,2\n'.encode()
    lake.check_new("datasets/iris.csv", row * 40_000)
    assert reports.outputs["Channels"] == "train"


def table_of(content: bytes, budget: int, chunk: int = 7) -> Table:
    chunks = [content[start : start + chunk] for start in range(0, len(content), chunk)]
    return read_table(Content(chunks, "here", budget), Format())


def test_a_budget_that_ends_within_a_quoted_value_gives_whole_rows() -> None:
    table = table_of(b'setosa,1\nvirginica,2\n"two\nlines",3\n', budget=25)
    assert table.kept == [["setosa", "1"], ["virginica", "2"]]
    assert table.truncated


def test_the_summary_says_what_was_looked_at(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    set_env({"max_inspected_bytes": "900"})
    lake.check_new("datasets/iris.csv", b"setosa,1\nvirginica,2\n" * 100)
    assert (
        "85 rows inspected, 1 of the files only at the beginning"
        in (reports.only("success")["executionDetails"]["summary"])
    )


def test_a_fault_beyond_the_budget_is_not_seen_and_one_within_it_is(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    bad = b"setosa,1\nvirginica,2\n" * 10 + b"virginica\n" + b"setosa,1\n" * 100
    set_env({"max_inspected_bytes": "100"})
    lake.check_new("datasets/iris.csv", bad)
    set_env({"max_inspected_bytes": "1000"})
    lake.check_new("datasets/iris.csv", bad)
    assert len(reports.requests["PutJobSuccessResult"]) == 1
    failure = reports.requests["PutJobFailureResult"][0]["failureDetails"]["message"]
    assert "line 21: 1 columns, but line 1 has 2; " in failure


def test_the_budget_is_shared_by_all_files(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    set_env({"max_inspected_bytes": "300"})
    lake.put("data/a.csv", b"setosa,1\nvirginica,2\n" * 100)
    lake.put("data/b.csv", b"setosa,1\nvirginica\n" + b"setosa,1\n" * 100)
    lake.check_new("datasets/iris.json", {"channels": {"train": ["data/a.csv", "data/b.csv"]}})
    assert "b.csv" in reports.message
    assert "line 2: 1 columns" in reports.message


def test_a_byte_order_mark_is_no_part_of_the_first_label(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", b"\xef\xbb\xbf" + IRIS)
    assert lake.pinned()[f"{PINNED}/golden.csv"] == IRIS


def test_what_is_copied_is_what_was_checked(lake: Lake, reports: Any, script: Callable[[str], Any]) -> None:
    s3 = script("s3")
    version = lake.put("datasets/iris.csv", IRIS)
    lake.check("datasets/iris.csv", version)
    (copy,) = s3.requests["CopyObject"]
    assert copy["CopySourceIfMatch"] == f'"{hashlib.md5(IRIS).hexdigest()}"'
    assert copy["CopySource"] == f"data/datasets/iris.csv?versionId={version}"


def test_a_missing_version_is_named(lake: Lake, reports: Any) -> None:
    lake.check("datasets/gone.csv", "00000000-0000-4000-8000-000000000000")
    assert "s3://data/datasets/gone.csv" in reports.message
    assert "no such object" in reports.message


def test_a_missing_object_of_a_manifest_is_named(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.json", {"channels": {"train": ["data/gone.csv"]}})
    assert reports.message == "s3://data/data/gone.csv: no such object or version; upload it again"


def test_a_data_set_above_the_limit_is_refused(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    set_env({"max_bytes": "10"})
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.message.startswith(f"The data set has {len(IRIS)} bytes; the limit is 10. Increase Dataset(max_meg")


def test_21_an_object_too_large_to_copy_at_once_is_refused(
    lake: Lake, reports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_COPY_BYTES", 10)
    lake.check_new("datasets/iris.csv", IRIS)
    assert "name the parts in a manifest" in reports.message


def test_files_of_different_width_are_refused(lake: Lake, reports: Any) -> None:
    lake.put("data/a.csv", IRIS)
    lake.put("data/b.csv", b"setosa,1\nvirginica,2\n")
    lake.check_new("datasets/iris.json", {"channels": {"train": ["data/a.csv"], "validation": ["data/b.csv"]}})
    assert reports.message == ("The files of the data set differ in their number of columns: 2 (validation), 3 (train)")


def test_golden_records_of_another_width_are_refused(lake: Lake, reports: Any) -> None:
    lake.put("data/a.csv", IRIS)
    lake.put("data/g.csv", b"setosa,1\n")
    lake.check_new("datasets/iris.json", {"channels": {"train": ["data/a.csv"]}, "golden": "data/g.csv"})
    assert reports.message.endswith("2 (golden), 3 (train)")


def test_one_class_in_one_of_many_train_files_is_no_fault(lake: Lake, reports: Any) -> None:
    lake.put("data/a.csv", b"setosa,1\n")
    lake.put("data/b.csv", b"virginica,2\n")
    lake.check_new("datasets/iris.json", {"channels": {"train": ["data/a.csv", "data/b.csv"]}})
    assert reports.outputs["Channels"] == "train"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "the manifest must be an object"),
        ({}, "the manifest has no channels"),
        ({"channels": {}}, "at least the channel train"),
        ({"channels": []}, "channels must be an object"),
        ({"channels": {"test": ["a"]}}, "channels has no train, only test"),
        ({"channels": {"train": []}}, "channels.train must be a list with at least one object"),
        ({"channels": {"train": [1]}}, r"channels.train\[0\] must be an object"),
        ({"channels": {"train": [{"key": 1}]}}, r"channels.train\[0\].key must be a string"),
        ({"channels": {"train": [{"version_id": "a"}]}}, r"channels.train\[0\] has no key"),
        ({"channels": {"train": [{"key": "a", "etag": "b"}]}}, "unknown field etag"),
        ({"channels": {"train": ["folder/"]}}, "names a folder"),
        ({"channels": {"train": ["folder/.."]}}, "names a folder"),
        ({"channels": {"train": ["x/a.csv", "y/a.csv", "x/a.csv"]}}, "two objects named 'x/a.csv'"),
        ({"channels": {"train": ["x/a", "x/a/b"]}}, "the object 'a' and others in a folder of that name"),
        ({"channels": {"train": ["x/../a", "x/b"]}}, "named '../a', which cannot be a path"),
        ({"channels": {"train": ["x//a", "x/b"]}}, "named '/a', which cannot be a path"),
        ({"channels": {"train": ["x/" + "a" * 256]}}, "name below the channel is too long"),
        ({"channels": {"train": {"prefix": "x/"}}}, "channels.train has no objects"),
        ({"channels": {"train": {"prefix": "x/", "objects": []}}}, "channels.train.objects must be a list with at"),
        ({"channels": {"train": {"prefix": "x", "objects": ["x/a"]}}}, "must be a folder that ends in '/'"),
        ({"channels": {"train": {"prefix": "x/", "objects": ["y/a"]}}}, "does not begin with its prefix 'x/'"),
        ({"channels": {"train": ["a"]}, "label": 0}, "unknown field label"),
        ({"channels": {"train": ["a"], "../up": ["b"]}}, "channel name '../up'"),
        ({"channels": {"train": ["a"], **{f"c{n}": ["a"] for n in range(20)}}}, "at most 20"),
        ({"channels": {"train": [f"a{n}" for n in range(10_001)]}}, "10001 objects; at most 10000"),
    ],
)
def test_a_malformed_manifest_is_refused_with_its_fault(value: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        manifest.parse_manifest(json.dumps(value), "s3://data/m.json")


def test_a_key_given_twice_in_a_manifest_is_refused() -> None:
    text = '{"channels": {"train": ["a"]}, "channels": {"train": ["b"]}}'
    with pytest.raises(ConfigurationError, match=r"s3://data/m\.json: not a valid manifest: 'channels' is given"):
        manifest.parse_manifest(text, "s3://data/m.json")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 5000])
def test_a_manifest_that_is_no_json_is_refused(lake: Lake, reports: Any, content: bytes) -> None:
    lake.check_new("datasets/iris.json", content)
    assert reports.kind == "ConfigurationError"
    assert reports.message.startswith("s3://data/datasets/iris.json")


@given(text=st.text())
def test_any_text_is_a_manifest_or_refused_by_place(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^here: "):
        manifest.parse_manifest(text, "here")


@given(content=st.binary(), budget=st.integers(1, 40), chunk=st.integers(1, 9))
def test_any_bytes_are_a_table_or_refused_by_place(content: bytes, budget: int, chunk: int) -> None:
    rows: list[list[str]] = []
    problem = "here"
    try:
        rows = table_of(content, budget, chunk).kept
    except ConfigurationError as error:
        problem = str(error)
    assert problem.startswith("here")
    assert len({len(row) for row in rows}) <= 1


@given(rows=st.lists(st.lists(st.text(), min_size=3, max_size=3), min_size=1), chunk=st.integers(1, 9))
def test_any_table_comes_back_as_it_was_written(rows: list[list[str]], chunk: int) -> None:
    # A number beyond 32 bits is refused, so no column is one of numbers: its first cell is a text.
    rows = [["text"] * 3, *rows]
    clean = [["label", *(cell.replace("\0", "").replace("\r", "") for cell in row)] for row in rows]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(clean)
    content = text.getvalue().encode(errors="ignore")
    again = [[cell.encode(errors="ignore").decode() for cell in row] for row in clean]
    assert table_of(content, len(content), chunk).kept == again


def test_a_missing_setting_is_reported(lake: Lake, reports: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAX_BYTES")
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.message == "environment variable MAX_BYTES: missing"
