"""Keeps a copy of the files that the services of a local AWS need again."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of programs that run: a new process makes its own.
_NOT_KEPT = {"builds", "endpoints", "processing", "sandboxes", "training", "transform"}


def copy_new(source: Path, target: Path) -> None:
    """Copy what is new or changed; each file is the old one or the new one, whenever this process ends."""
    for path in _paths(source):
        copy = target / path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            copy.mkdir(parents=True, exist_ok=True)
        elif _state(path) != _state(copy):
            new = copy.with_name(f"{copy.name}.new-copy")
            with contextlib.suppress(FileNotFoundError):  # it may have been deleted meanwhile
                shutil.copy2(path, new, follow_symlinks=False)
                new.replace(copy)


def delete_old(source: Path, target: Path) -> None:
    """Delete from a copy what the source does not have any more."""
    for copy in sorted(_paths(target), reverse=True):
        if not os.path.lexists(source / copy.relative_to(target)):
            shutil.rmtree(copy, ignore_errors=True) if copy.is_dir() and not copy.is_symlink() else copy.unlink()


def _paths(folder: Path) -> Iterator[Path]:
    """Yield folders before what is in them: files, links and folders that are kept."""
    for top in sorted(folder.iterdir()) if folder.is_dir() else ():
        if top.name in _NOT_KEPT or top.name.startswith("."):
            continue
        yield from (one for one in (top, *sorted(top.rglob("*"))) if one.is_symlink() or one.is_dir() or one.is_file())


def _state(path: Path) -> tuple[int, int] | str | None:
    with contextlib.suppress(OSError):
        if path.is_symlink():
            return str(path.readlink())
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return None
