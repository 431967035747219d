"""`mlops data check` says before the upload what CheckDataset says after it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lambdas.lake import IRIS, Lake, make_lake

from mlops_constructs.cli.main import main
from mlops_constructs.deployed.data_files import find_data
from mlops_constructs.deployed.data_plan import manifest_of, plan_set

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACT = json.dumps({"columns": [{"name": "species"}, {"name": "length", "type": "number", "max_value": 6}]})


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Lake:
    monkeypatch.chdir(tmp_path)
    return make_lake(load_event, set_env, write_document)


def upload(lake: Lake, folder: str) -> dict[str, str]:
    """Upload as `mlops upload` does, and call the function; give the key of each file."""
    data = find_data([folder])
    objects = plan_set(data.name, data.channels, golden=data.golden, contract=data.contract)
    versions = [lake.put(one.key, Path(str(one.content)).read_bytes()) for one in objects]
    lake.check_new("datasets/set.json", manifest_of(objects, versions))
    return {one.key: str(one.content) for one in objects}


def write(files: dict[str, bytes | str]) -> None:
    for name, content in files.items():
        Path("set", name).parent.mkdir(parents=True, exist_ok=True)
        Path("set", name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"train.csv": "a,1\n,2\n", "test/x.csv": "a,1\nb\n", "test/y.tsv": "a\t1\n"}, 2),
        ({"train.csv": IRIS, "validation.csv": "a,1\n", "golden.csv": b"\xff"}, 2),
        ({"train.jsonl": '["a", 1]\n["b", 7]\n', "contract.json": CONTRACT}, 1),
        ({"train.parquet": b"PAR1", "train2.csv.gz": b"no gzip"}, 2),
        ({"train.csv": "a,1\nb,1\n", "contract.json": "{"}, 1),
        ({"train/a.csv": "a,1\nb,1\n", "train/b.csv": "a,1,2\n"}, 1),
    ],
)
def test_both_find_the_same_problems(
    lake: Lake, reports: Any, capsys: pytest.CaptureFixture[str], files: dict[str, bytes | str], count: int
) -> None:
    write(files)
    keys = upload(lake, "set")
    message = re.sub(r"s3://data/(\S+?) \(version \S+\)", lambda found: keys[found[1]], reports.message)
    told = message.split("\n- ")[1 if count > 1 else 0 :]
    capsys.readouterr()
    assert main(["data", "check", "set", "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert sorted(problems) == sorted(told)
    assert len(problems) == count


def test_both_find_the_same_in_good_data(lake: Lake, reports: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write({"train/cat/0.png": b"1", "train/dog/0.png": b"2", "validation.csv": IRIS, "train/a.csv": IRIS})
    upload(lake, "set")
    summary = reports.only("success")["executionDetails"]["summary"]
    capsys.readouterr()
    assert main(["data", "check", "set", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["summary"], found["sha256"]) == (summary, reports.outputs["Sha256"])
    assert (found["channels"], found["golden_records"]) == ({"train": 3, "validation": 1}, 3)


@pytest.mark.parametrize(
    ("name", "content", "code", "told"),
    [
        ("m.json", '{"channels": {"train": ["data/a.csv"]}}', 0, "its objects are in S3"),
        ("m.json", '{"channels": {}}', 1, "m.json: not a valid manifest: channels must be an object"),
        ("trainingjob.zip", "zip", 1, "trainingjob.zip: not a complete zip file"),
        ("train.csv", "", 1, "train.csv is empty, and an empty object starts nothing"),
        ("train.csv", "a,1\nb,7\n", 1, "train.csv, line 2, column 2 (length): 7 is above the maximum 6"),
    ],
)
def test_one_file_is_judged_as_what_it_is(
    lake: Lake, capsys: pytest.CaptureFixture[str], name: str, content: str, code: int, told: str
) -> None:
    Path(name).write_text(content)
    Path("train.csv.contract.json").write_text(CONTRACT)
    assert main(["data", "check", name]) == code
    assert told in "".join(capsys.readouterr())
