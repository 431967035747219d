"""Rules for the folder of a container, checked at synth: it is seeded into a CodeCommit repository."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from ..errors import Problem
from ._folder import deployed_files, file_problems, is_folder
from ._rules import literal
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# As lambdas/seed_repository/archive.py, which commits the files; a test compares them.
MAX_FILES = 2000
MAX_TOTAL_BYTES = 64 * 1024 * 1024
# https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
MAX_FILE_BYTES = 6 * 1024 * 1024
MAX_PATH_LENGTH = 4096
MAX_DEPTH = 20
# Not in the quotas, but an error of CreateCommit; read strictly, it is the limit of all files in one folder.
# https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html
MAX_FOLDER_BYTES = 6 * 1024 * 1024
_DATA = "leave data and models out, or use a repository of your own with Algorithm.from_codecommit"


def directory_problems(directory: Path) -> Iterator[Problem]:
    """Require a folder that an image can be built from, and that CodeCommit accepts."""
    if is_token(str(directory)):
        yield from literal("directory", str(directory))
    elif not is_folder(directory):
        remedy = "run `mlops init` to get a template, or correct the path"
        yield Problem("directory", "must be a folder", str(directory), remedy)
    elif not (directory / "Dockerfile").is_file():
        remedy = "add one; the container/ folder of `mlops init` has one"
        yield Problem("directory", "must contain a file 'Dockerfile'", str(directory), remedy)
    else:
        # Without a Dockerfile it may be any folder, of any size.
        yield from _content_problems(directory)


def _content_problems(directory: Path) -> Iterator[Problem]:
    files = list(islice(deployed_files(directory), MAX_FILES + 1))
    if len(files) > MAX_FILES:
        yield Problem("directory", f"must contain at most {MAX_FILES} files", f"more than {MAX_FILES}", _DATA)
        return
    found = [path for path, fault in files if fault is None]
    faults = {path: fault for path, fault in files if fault is not None}
    faults |= {path: fault for path in found if (fault := _name_fault(path.relative_to(directory))) is not None}
    yield from file_problems("directory", directory, faults.items())
    yield from _size_problems(directory, {path: path.stat().st_size for path in found})


def _size_problems(directory: Path, sizes: Mapping[Path, int]) -> Iterator[Problem]:
    folders: Counter[Path] = Counter()
    for path, size in sorted(sizes.items()):
        if size <= MAX_FILE_BYTES:
            folders[path.parent] += size
            continue
        got = f"{path.relative_to(directory).as_posix()} with {size} bytes"
        rule = f"each file must have at most {MAX_FILE_BYTES} bytes, for CodeCommit"
        yield Problem("directory", rule, got, _DATA)
    for folder, size in folders.items():
        if size > MAX_FOLDER_BYTES:
            got = f"{folder.relative_to(directory).as_posix()} with {size} bytes"
            rule = f"the files of one folder must have at most {MAX_FOLDER_BYTES} bytes in total, for CodeCommit"
            yield Problem("directory", rule, got, f"use subfolders, or {_DATA}")
    total = sum(sizes.values())
    if total > MAX_TOTAL_BYTES:
        yield Problem("directory", f"must contain at most {MAX_TOTAL_BYTES} bytes in total", total, _DATA)


def _name_fault(path: Path) -> str | None:
    name = path.as_posix()
    if "\\" in name or ":" in path.parts[0]:
        return "a file whose path has a backslash, or a colon in its first part"
    if len(name) > MAX_PATH_LENGTH or len(path.parts) - 1 > MAX_DEPTH:
        return f"a file with a path of more than {MAX_PATH_LENGTH} characters or {MAX_DEPTH} folders, for CodeCommit"
    return None
