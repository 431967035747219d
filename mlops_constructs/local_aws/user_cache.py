"""What is kept on this machine for the next run, in the user's cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_held: dict[Path, int] = {}


def user_cache() -> Path:
    """`$XDG_CACHE_HOME`, or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base) if base else Path.home() / ".cache"


def cache_folder(*names: str) -> Path:
    """A folder of the local AWS there; it is created.

    Raises:
        LocalAwsError: when it cannot be written to.
    """
    folder = user_cache().joinpath("local-aws", *names)
    if not is_writable(folder):
        raise LocalAwsError(f"cannot write to {folder}: set XDG_CACHE_HOME to a folder that you can write to")
    return folder


def is_writable(folder: Path) -> bool:
    """Whether files can be put into a folder, which is created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def hold(name: str) -> None:
    """Mark something of the cache as in use, until this process ends."""
    file = _mark(name)
    with _lock:
        if file not in _held:
            _held[file] = os.open(file, os.O_CREAT | os.O_RDWR, 0o644)
            fcntl.flock(_held[file], fcntl.LOCK_SH)
    os.utime(file)


@contextlib.contextmanager
def claim(name: str) -> Iterator[bool]:
    """Whether nobody uses something of the cache; nobody begins to while the block runs."""
    mark = os.open(_mark(name), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(mark)


def last_held(name: str) -> float:
    """When somebody began to use something of the cache, in seconds since 1970; 0 when nobody did."""
    try:
        return (user_cache() / "local-aws" / "used" / name).stat().st_mtime
    except OSError:
        return 0.0


def _mark(name: str) -> Path:
    return cache_folder("used") / name
