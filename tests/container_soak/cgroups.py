"""Limits of a group of processes, where this machine allows to set them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def group(controller: str) -> Iterator[Path | None]:
    """Make a group of version 1 of cgroups; ``None`` where that is not possible."""
    folder = _ROOT / controller / f"container-soak-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        yield None
        return
    try:
        yield folder
    finally:
        folder.rmdir()


def join(folder: Path) -> None:
    """Put the calling process into a group."""
    (folder / "cgroup.procs").write_text(str(os.getpid()))
