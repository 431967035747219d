"""What rehearsals and ``mlops train`` keep on this machine for the next run."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.environments import cache_directory
from mlops_constructs.local_aws.scratch import abandoned, sweep
from mlops_constructs.local_aws.snapshot.folder import forget, found
from mlops_constructs.local_aws.user_cache import claim, last_held
from mlops_constructs.rehearsal.provider_mirror import PROVIDERS, own_cache_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DAY = 86_400
_SHOWN_PACKAGES = 4
_OTHERS = {"jsii": "packages of jsii", "benchmark": "servers of make bench-serving"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder.

    Attributes:
        path: The folder.
        what: What it is.
        bytes: The disk space that it takes.
        unused_days: For how many days nothing has used it.
        mark: The name under which processes mark it as in use.
    """

    path: Path
    what: str
    bytes: int
    unused_days: float
    mark: str


def entries() -> list[Entry]:
    """Return everything that is kept, and what killed processes left behind."""
    return [*_environments(), *_providers(), *_others(), *_rehearsals(), *_leftovers()]


def clear(older_than_days: float = 0) -> tuple[list[Entry], list[Entry]]:
    """Delete what nothing has used for some days, and what killed processes left behind.

    Returns:
        What was deleted, and what a process uses.
    """
    gone, used = list(_leftovers()), list[Entry]()
    sweep()
    for entry in (*_environments(), *_providers(), *_others()):
        if entry.unused_days < older_than_days:
            continue
        with claim(entry.mark) as free:
            if free:
                shutil.rmtree(entry.path, ignore_errors=True)
        (gone if free else used).append(entry)
    for entry in _rehearsals():
        if entry.unused_days >= older_than_days:
            forget(entry.path)
            (used if entry.path.exists() else gone).append(entry)
    return gone, used


def _environments() -> Iterator[Entry]:
    for folder in _folders(cache_directory(), "*"):
        key, _, partial = folder.name.partition(".part-")
        what = "unfinished Python environment" if partial else f"Python environment: {_packages(folder)}"
        yield _entry(folder, what, key)


def _providers() -> Iterator[Entry]:
    for folder in _folders(own_cache_dir(), "*/*/*/*"):
        yield _entry(folder, f"Terraform provider {folder.parent.name} {folder.name}", PROVIDERS)


def _others() -> Iterator[Entry]:
    for name, what in _OTHERS.items():
        for folder in _folders(own_cache_dir().parent, name):
            yield _entry(folder, what, name)


def _rehearsals() -> Iterator[Entry]:
    for folder, about in found().items():
        what = "kept rehearsal"
        if about:
            what += f" of {about['pipeline']}: mlops rehearse --resume in {about['project']}"
        yield _entry(folder, what, "")


def _leftovers() -> Iterator[Entry]:
    for folder in abandoned():
        yield _entry(folder, "left by a process that was killed", "")


def _folders(base: Path, pattern: str) -> list[Path]:
    return sorted(folder for folder in base.glob(pattern) if folder.is_dir())


def _entry(path: Path, what: str, mark: str) -> Entry:
    used = max(path.stat().st_mtime, last_held(mark) if mark else 0.0)
    return Entry(path, what, _size(path), max(0.0, time.time() - used) / _DAY, mark)


def _packages(environment: Path) -> str:
    files = environment.glob("lib/python*/site-packages/*.dist-info")
    names = sorted({file.name.partition("-")[0] for file in files} - {"pip", "setuptools", "wheel"})
    more = len(names) - _SHOWN_PACKAGES
    return ", ".join(names[:_SHOWN_PACKAGES]) + (f" and {more} more" if more > 0 else "") if names else "no packages"


def _size(folder: Path) -> int:
    """The disk space of a folder; a file with several names in it is counted once."""
    files = {}
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as found:  # it may be deleted meanwhile
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                state = entry.stat(follow_symlinks=False)
                files[state.st_dev, state.st_ino] = state.st_blocks * 512
    return sum(files.values())
