"""Folders of files below and above a sandbox: what a program wrote, and the image's `python`."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path


def merge(written: Path, tree: Path) -> None:
    """Move what a program wrote in an overlay into the files of an image."""
    for entry in written.iterdir():
        merge_entry(entry, tree / entry.name)


def merge_entry(entry: Path, target: Path) -> None:
    """Move one of these files or folders to its place."""
    mode = entry.lstat().st_mode
    if stat.S_ISCHR(mode):  # the overlay's mark for a file that was deleted
        _delete(target)
    elif stat.S_ISDIR(mode):
        if target.is_symlink() or target.is_file():
            target.unlink()
        target.mkdir(exist_ok=True)
        target.chmod(stat.S_IMODE(mode) | 0o700)
        merge(entry, target)
    elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
        _delete(target)
        shutil.move(entry, target)


def remove(folder: Path) -> None:
    """Remove a folder; overlayfs leaves folders in it that not even their owner may read."""
    for root, names, _ in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def python_layer(folder: Path, packages: Path) -> Path:
    """Write programs `python` and `pip` where images have them; they start those of an environment."""
    for place, names in (
        ("usr/local/bin", ("python", "python3", "pip", "pip3")),
        ("usr/bin", ("python", "python3")),
    ):
        (folder / place).mkdir(parents=True)
        for name in names:
            file = folder / place / name
            file.write_text(f'#!/bin/sh\nexec {packages}/bin/{name} "$@"\n')
            file.chmod(0o755)
    return folder


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove(path)
    else:
        path.unlink(missing_ok=True)
