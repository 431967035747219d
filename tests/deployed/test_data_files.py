"""What is a data set on this machine: files, folders and patterns, and what lies beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_constructs.deployed.data_files import find_data
from mlops_constructs.errors import MlopsError


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "p/cat/0.png", "p/dog/0.png", "p/dog/.hidden", "s/train.csv.gz", "s/golden.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")


def names(*given: str) -> dict[str, list[str]]:
    return {channel: [one.name for one in files] for channel, files in find_data(given).channels.items()}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["train=p"], {"train": ["cat/0.png", "dog/0.png"]}),
        (["train=p/*"], {"train": ["cat/0.png", "dog/0.png"]}),
        (["train=p/**/*.png"], {"train": ["cat/0.png", "dog/0.png"]}),
        (["train=p/cat", "test=p/dog"], {"train": ["0.png"], "test": ["0.png"]}),
        (["*.csv", "test=p/c*"], {"a": ["a.csv"], "test": ["cat/0.png"]}),
        (["s"], {"train": ["train.csv.gz"]}),
    ],
)
def test_names_begin_below_the_channel(given: list[str], found: dict[str, list[str]]) -> None:
    assert names(*given) == found


def test_one_file_is_the_data_set_unless_a_contract_lies_beside_it() -> None:
    assert find_data(["a.csv"]).alone == Path("a.csv")
    Path("a.csv.contract.json").write_text("{}")
    found = find_data(["a.csv"])
    assert (found.alone, found.contract) == (None, Path("a.csv.contract.json"))


def test_a_link_to_a_folder_is_followed_but_not_in_a_circle() -> None:
    Path("linked").mkdir()
    Path("linked/p").symlink_to(Path("p").resolve())
    assert names("train=linked") == {"train": ["p/cat/0.png", "p/dog/0.png"]}
    Path("p/cat/up").symlink_to(Path().resolve())
    with pytest.raises(MlopsError, match="is a link to a folder that contains it"):
        find_data(["train=p"])


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(MlopsError, match=r"two files of a channel have the same name, 0\.png"):
        find_data(["train=p/cat", "train=p/dog"])
