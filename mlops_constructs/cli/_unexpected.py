"""What a person reads when a command ends in a way that nobody foresaw: what happened, and where the traceback is."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback

# EX_SOFTWARE of sysexits.h: the program itself is at fault.
UNEXPECTED = 70
_SHOW = "MLOPS_TRACEBACK"
# By the number of an error of the operating system that names no file.
_REMEDIES = {
    errno.ENOSPC: "free some disk space, or set TMPDIR to a folder that has some (it is {folder})",
    errno.EDQUOT: "free some of your disk quota, or set TMPDIR to a folder outside of it (it is {folder})",
    errno.EMFILE: "increase the limit: ulimit -n 4096",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs, or use a machine with more memory",
    errno.EAGAIN: "close other programs, or increase the limit of processes: ulimit -u",
    errno.EROFS: "set TMPDIR to a folder that you can write to (it is {folder})",
}


def told(error: BaseException) -> tuple[str, int]:
    """Return the sentence for an error that no command has explained, and the exit code.

    Args:
        error: The error.
    """
    if isinstance(error, OSError) and error.strerror:
        remedy = remedy_of(error.errno)
        if error.filename is not None:
            return f"{_text(error.filename)}: {error.strerror}{remedy}", 1
        if remedy:
            return f"{error.strerror}{remedy}", 1
    if isinstance(error, MemoryError):
        return f"{os.strerror(errno.ENOMEM)}{remedy_of(errno.ENOMEM)}", 1
    return f"unexpected {type(error).__name__}: {error}\n{_where_to_look(error)}", UNEXPECTED


def remedy_of(number: int | None) -> str:
    """Return what to do about an error of the operating system, after a semicolon; empty where that is not known."""
    remedy = _REMEDIES.get(number or 0)
    return "" if remedy is None else f"; {remedy.format(folder=_temporary_folder())}"


def _where_to_look(error: BaseException) -> str:
    whole = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if os.environ.get(_SHOW):
        return whole
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="mlops-", suffix=".log", delete=False, errors="replace"
        ) as file:
            file.write(f"{' '.join(sys.argv[1:2])}: Python {sys.version}\n{whole}")
    except OSError:
        return f"This is an error of mlops-constructs: report it with the traceback, which {_SHOW}=1 shows."
    return (
        f"This is an error of mlops-constructs: report it with the traceback in {file.name} ({_SHOW}=1 shows it here)."
    )


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return os.environ.get("TMPDIR", "/tmp")


def _text(filename: object) -> str:
    return os.fsdecode(filename) if isinstance(filename, (bytes, str)) else str(filename)
