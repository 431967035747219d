"""Folders with what is saved of local AWS accounts; they outlive the process that serves one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.snapshot.file import read_about
from mlops_constructs.local_aws.user_cache import cache_folder, user_cache

if TYPE_CHECKING:
    from pathlib import Path

_ROOM = "resumable"
# Locked as long as a process uses the folder. The kernel unlocks it, however that process ends.
_USED = "used"


class KeptFolder:
    """One of them, used by this process.

    Attributes:
        file: The snapshot.
        files: Copies of the files that it needs.
        is_kept: Whether `close` leaves it.
    """

    def __init__(self, home: Path | None = None) -> None:
        """Take a folder of the user's cache; a new one unless ``home`` is one that `found` has returned.

        Raises:
            LocalAwsError: when another process uses it, or the cache cannot be written to.
        """
        self._home = cache_folder(_ROOM, uuid.uuid4().hex[:8]) if home is None else home
        self._home.chmod(0o700)
        self._used = os.open(self._home / _USED, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._used, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._used)
            raise LocalAwsError(f"another process uses {self._home}") from None
        self.file, self.files = self._home / "snapshot", self._home / "files"
        self.is_kept = home is not None

    def close(self) -> None:
        """Leave it, or delete it where it is not kept. Safe to call twice."""
        if self._used == -1:
            return
        if not (self.is_kept and self.file.is_file()):
            shutil.rmtree(self._home, ignore_errors=True)
        os.close(self._used)
        self._used = -1


def found() -> dict[Path, dict[str, Any]]:
    """Return those with a snapshot, the newest first: folder to what was written about it, if that is not damaged."""
    abouts: dict[Path, dict[str, Any]] = {}
    for file in sorted(_rooms("*/snapshot"), key=lambda one: one.stat().st_mtime, reverse=True):
        abouts[file.parent] = {}
        with contextlib.suppress(LocalAwsError, OSError):
            abouts[file.parent] = read_about(file)
    return abouts


def unused() -> list[Path]:
    """Return the folders that no process uses."""
    return [file.parent for file in _rooms(f"*/{_USED}") if _is_free(file)]


def forget(folder: Path) -> None:
    """Delete a folder, unless a process uses it."""
    with contextlib.suppress(LocalAwsError, OSError):
        one = KeptFolder(folder)
        one.is_kept = False
        one.close()


def _rooms(pattern: str) -> list[Path]:
    return list((user_cache() / "local-aws" / _ROOM).glob(pattern))


def _is_free(file: Path) -> bool:
    with contextlib.suppress(OSError), file.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
