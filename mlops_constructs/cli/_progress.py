"""The progress of an upload: one bar for all files in a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(files: int, total: int, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Return the function to call with the name of a file, the number of bytes sent since the last call, and its size.

    Nothing is drawn when ``quiet``, without a terminal, or without rich, which comes with the rehearsal extra.

    Args:
        files: How many files there are.
        total: Their bytes.
        quiet: Whether to draw nothing.
    """
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    except ModuleNotFoundError:
        quiet = True
    if quiet or not sys.stderr.isatty():
        yield lambda _name, _count, _size: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar, sent, done, lock = bars.add_task("", total=total), dict[str, int](), 0, threading.Lock()

        def advance(name: str, count: int, size: int) -> None:
            nonlocal done
            with lock:
                sent[name] = sent.get(name, 0) + count
                if sent[name] >= size:
                    # Another folder may have a file of the same name.
                    del sent[name]
                    done += 1
                bars.update(bar, advance=count, description=name if files == 1 else f"{done} of {files} files")

        yield advance
