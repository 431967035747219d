"""What a command left behind: processes and temporary folders."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from patience import PATIENCE_SECONDS


def processes_in(folder: Path) -> list[str]:
    """Name the processes that run in, or were started from, a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in command or str(folder) in str((process / "cwd").readlink()):
                found.append(command)
    return found


def nothing_left(folder: Path, seconds: float = PATIENCE_SECONDS) -> bool:
    """Tell whether no process and no file of a folder is left, after a moment for the kernel to reap."""
    deadline = time.monotonic() + seconds
    while processes_in(folder) or any(folder.iterdir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
