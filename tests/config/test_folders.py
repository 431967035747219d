"""What real folders contain: links, sockets, odd names, large files. CodeCommit would refuse it at apply."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from configuration import CONTAINER, problems
from seed_repository import archive

from mlops_constructs import Algorithm, Notebook
from mlops_constructs._payload import folder_files
from mlops_constructs.config import _container_folder

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
NOWHERE = "must not contain a link that leads nowhere"


def bind(folder: Path) -> None:
    """Leave a socket; its path must be short, so it is given from inside of the folder."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("x.sock")
    finally:
        os.chdir(here)


def large(folder: Path, name: str, size: int) -> None:
    """Write a file with a size, but no content on the disk."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def deep(folder: Path, depth: int) -> None:
    """Write a file below so many folders."""
    path = folder.joinpath(*(["d"] * depth), "f")
    path.parent.mkdir(parents=True)
    path.touch()


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "lock of an editor": (
        lambda folder: (folder / ".#train").symlink_to("user@host.4711:1"),
        f"{NOWHERE}, got '.#train'",
    ),
    "link to nothing": (lambda folder: (folder / "data").symlink_to("/nowhere"), f"{NOWHERE}, got 'data'"),
    "link to itself": (lambda folder: (folder / "a").symlink_to("a"), f"{NOWHERE}, got 'a'"),
    "link to its folder": (
        lambda folder: (folder / "up").symlink_to("."),
        "a link to a folder that contains it, got 'up'",
    ),
    "socket": (bind, "a socket, pipe or device, got 'x.sock'"),
    "pipe": (lambda folder: os.mkfifo(folder / "pipe"), "a socket, pipe or device, got 'pipe'"),
    "name in Latin-1": (
        lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).touch(),
        r"a file whose name is not UTF-8, got 'caf\udce9.txt'",
    ),
    "backslash": (lambda folder: (folder / "a\\b").touch(), "a file whose path has a backslash"),
    "colon": (lambda folder: (folder / "c:d").touch(), "a colon in its first part, got 'c:d'"),
    "depth": (lambda folder: deep(folder, 21), "4096 characters or 20 folders"),
    "large file": (lambda folder: large(folder, "m.onnx", 6 * MIB + 1), "each file must have at most 6291456 bytes"),
    "large folder": (
        lambda folder: [large(folder, f"m/{n}", 4 * MIB) for n in range(2)],
        "the files of one folder must have at most 6291456 bytes in total, for CodeCommit, got 'm with 8388608 bytes'",
    ),
    "large in total": (
        lambda folder: [large(folder, f"{n}/m", 6 * MIB) for n in range(11)],
        "must contain at most 67108864 bytes in total",
    ),
    "many files": (
        lambda folder: [(folder / str(n)).touch() for n in range(2000)],
        "must contain at most 2000 files, got 'more than 2000'",
    ),
}


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A container's folder to spoil."""
    folder = tmp_path / "container"
    shutil.copytree(CONTAINER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("spoil", BAD)
def test_what_codecommit_refuses_is_told_by_its_name_at_synth(container: Path, spoil: str) -> None:
    make, message = BAD[spoil]
    make(container)
    (line,) = problems(algorithm=Algorithm.from_directory(container))
    assert line.startswith("algorithm.directory: ")
    assert message in line


def test_all_bad_files_are_told_together(container: Path) -> None:
    for spoil in ("link to nothing", "socket", "large file"):
        BAD[spoil][0](container)
    assert len(problems(algorithm=Algorithm.from_directory(container))) == 3


def test_what_fits_exactly_is_taken(container: Path) -> None:
    deep(container, 20)
    large(container, "models/m.onnx", 6 * MIB)
    (container / ".venv").mkdir()
    (container / ".venv" / "python").symlink_to("/nowhere")
    assert problems(algorithm=Algorithm.from_directory(container)) == []


def test_links_to_files_and_folders_are_followed(container: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "code.py").write_text("x = 1\n")
    (container / "shared").symlink_to(tmp_path / "shared")
    (container / "again.py").symlink_to("shared/code.py")
    assert problems(algorithm=Algorithm.from_directory(container)) == []
    assert {"shared/code.py", "again.py"} <= set(folder_files(container))


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "/nowhere", CONTAINER / "Dockerfile"])
def test_what_is_no_folder_is_refused(path: str) -> None:
    (line,) = problems(algorithm=Algorithm.from_directory(path))
    assert line.startswith("algorithm.directory: must be a folder")


@pytest.mark.parametrize("spoil", ["link to nothing", "link to its folder", "socket", "name in Latin-1"])
def test_a_folder_of_notebooks_is_held_to_the_same(tmp_path: Path, spoil: str) -> None:
    make, message = BAD[spoil]
    (tmp_path / "a.ipynb").touch()
    make(tmp_path)
    (line,) = problems(notebook=Notebook(directory=tmp_path))
    assert line.startswith("notebook.directory: ")
    assert message in line


def test_the_limits_are_those_of_the_function_that_commits_the_files() -> None:
    for name in ("MAX_FILES", "MAX_FILE_BYTES", "MAX_TOTAL_BYTES"):
        assert getattr(_container_folder, name) == getattr(archive, name)
