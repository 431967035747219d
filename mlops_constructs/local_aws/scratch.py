"""Temporary folders that can be told from those of processes that were killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Locked as long as the process lives that made the folder. The kernel unlocks it, however that process ends.
_ALIVE = ".local-aws-alive"
# A process that is ending may have created another file meanwhile.
_ATTEMPTS = 3


class ScratchFolder:
    """A temporary folder of this process.

    Attributes:
        path: The folder.
    """

    def __init__(self, prefix: str, path: Path | None = None) -> None:
        """Create it, with a name that begins with `prefix`, or at a path; raise OSError when something is there."""
        # It gets its name when it is locked: `abandoned` must not find it before.
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=None if path is None else path.parent))
        self._alive = os.open(new / _ALIVE, os.O_CREAT | os.O_WRONLY, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        self.path = new.rename(new.with_name(new.name.removeprefix(".")) if path is None else path)

    def remove(self) -> None:
        """Delete it; what cannot be deleted is left. Safe to call twice."""
        for _ in range(_ATTEMPTS):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                break
        if self._alive != -1:
            os.close(self._alive)
            self._alive = -1


@contextlib.contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder while the block runs."""
    folder = ScratchFolder(prefix)
    try:
        yield folder.path
    finally:
        folder.remove()


def abandoned() -> list[Path]:
    """The folders of this user whose process is gone."""
    return [folder for folder in _folders() if _is_free(folder)]


def sweep() -> list[Path]:
    """Delete the folders of this user whose process is gone, and return them."""
    found = abandoned()
    for folder in found:
        with contextlib.suppress(OSError):  # another process may sweep too
            entries = [entry for entry in folder.iterdir() if entry.name != _ALIVE]
            for entry in entries:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
            # It goes last: what could not be deleted is found again.
            shutil.rmtree(folder)
    return found


def _folders() -> list[Path]:
    folders = [file.parent for file in Path(tempfile.gettempdir()).glob(f"[!.]*/{_ALIVE}")]
    return sorted(one for one in folders if not one.is_symlink() and one.lstat().st_uid == os.getuid())


def _is_free(folder: Path) -> bool:
    try:
        file = os.open(folder / _ALIVE, os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True
