"""Files packed with gzip, and with tabs: CheckDataset reads what is in them, and no bomb unfolds in it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
from check_dataset import unpack
from lambdas.lake import EXECUTION, IRIS, Lake, make_lake

if TYPE_CHECKING:
    from collections.abc import Callable

TABS = IRIS.replace(b",", b"\t")


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    return make_lake(load_event, set_env, write_document)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", TABS),
        ("a.csv.gz", gzip.compress(IRIS)),
        ("a.CSV.GZ", gzip.compress(IRIS[:10]) + gzip.compress(IRIS[10:]) + b"\0\0"),
        ("a.tsv.gz", gzip.compress(TABS)),
    ],
    ids=["tabs", "gzip", "members", "tabs in gzip"],
)
def test_the_rows_are_inspected_and_give_golden_records(lake: Lake, reports: Any, name: str, content: bytes) -> None:
    lake.check_new(f"datasets/{name}", content)
    folder = f"datasets/iris-1a2b3c/{EXECUTION}"
    assert lake.pinned()[f"{folder}/train/{name}"] == content
    assert lake.pinned()[f"{folder}/golden.csv"] == IRIS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(IRIS)[:-9], "the gzip file is incomplete"),
        (IRIS, "not a gzip file"),
        (gzip.compress(IRIS) + b"junk", "not a gzip file"),
        (gzip.compress(b"setosa,1\nvirginica\n"), "line 2: 1 columns, but line 1 has 2"),
    ],
    ids=["cut", "text", "junk", "wrong rows"],
)
def test_a_wrong_gzip_file_is_refused(lake: Lake, reports: Any, content: bytes, problem: str) -> None:
    lake.check_new("datasets/a.csv.gz", content)
    assert problem in reports.message


def test_a_bomb_is_refused_by_its_ratio_beyond_what_is_harmless(
    lake: Lake, reports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = gzip.compress(b"setosa,1\nvirginica,2\n" * 100_000)
    monkeypatch.setattr(unpack, "FREE_BYTES", 1_500_000)
    lake.check_new("datasets/bomb.csv.gz", bomb)
    assert "unpacks to more than 200 times its size" in reports.message
    monkeypatch.setattr(unpack, "FREE_BYTES", 64_000_000)
    lake.check_new("datasets/bomb.csv.gz", bomb)
    assert len(reports.requests["PutJobSuccessResult"]) == 1


def test_all_files_together_unpack_to_no_more_than_the_limit(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    content = gzip.compress(b"setosa,1\nvirginica,2\n" * 1000)
    for name in "ab":
        lake.put(f"data/{name}.csv.gz", content)
    manifest = {"channels": {"train": ["data/a.csv.gz", "data/b.csv.gz"]}}
    set_env({"max_bytes": "41000"})
    lake.check_new("datasets/m.json", manifest)
    assert "b.csv.gz" in reports.message
    assert "unpacks to more bytes than the limit leaves for it, 20000. Increase Dataset(" in reports.message
    set_env({"max_bytes": "42001"})
    lake.check_new("datasets/m.json", manifest)
    assert len(reports.requests["PutJobSuccessResult"]) == 1
