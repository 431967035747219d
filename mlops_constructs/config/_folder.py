"""The files of a folder that is deployed, and why one of them cannot be."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# A .env is where secrets are.
_IGNORED = {"__pycache__", ".env", ".git", ".venv", ".pytest_cache", ".ipynb_checkpoints", ".DS_Store"}


def is_folder(path: Path) -> bool:
    """Tell whether there is such a folder, and it can be read; a path that the system refuses is none."""
    try:
        return path.is_dir() and os.access(path, os.R_OK | os.X_OK)
    except OSError:
        return False


def deployed_files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield every file below a folder, without caches; links are followed.

    With each comes None, or why it cannot be deployed.
    """
    yield from _files(folder, frozenset([folder.resolve()]))


def file_problems(field: str, folder: Path, faults: Iterable[tuple[Path, str]]) -> Iterator[Problem]:
    """Yield a problem for each file that cannot be deployed."""
    for path, fault in sorted(faults):
        name = path.relative_to(folder).as_posix()
        yield Problem(field, f"must not contain {fault}", name, "remove or replace it, or keep it elsewhere")


def _files(folder: Path, above: frozenset[Path]) -> Iterator[tuple[Path, str | None]]:
    for path in folder.iterdir():
        if path.name in _IGNORED or path.suffix == ".pyc":
            continue
        fault = _fault(path)
        if fault is not None or not path.is_dir():
            yield path, fault
        elif (real := path.resolve()) in above:
            yield path, "a link to a folder that contains it"
        else:
            yield from _files(path, above | {real})


def _fault(path: Path) -> str | None:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        return "a file whose name is not UTF-8"
    try:
        mode = path.stat().st_mode
    except OSError:
        return "a link that leads nowhere" if path.is_symlink() else "an unreadable file"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return "a socket, pipe or device"
    needed = os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)
    return None if os.access(path, needed) else "an unreadable file"
