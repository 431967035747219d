"""The processes that a process has started, however far down, told by number and by when they began."""

from __future__ import annotations

import contextlib
from pathlib import Path

Process = tuple[int, str]


def _fields() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(folder.name)] = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    return found


def descendants(pid: int) -> dict[Process, str]:
    """Return them, each with its command."""
    fields, below = _fields(), {pid}
    while more := {one for one, of in fields.items() if int(of[1]) in below and one not in below}:
        below |= more
    return {(one, fields[one][19]): _command(one) for one in below - {pid}}


def alive(processes: dict[Process, str]) -> list[str]:
    """Return the commands of those that still run."""
    fields = _fields()
    return [
        command
        for (pid, began), command in processes.items()
        if pid in fields and fields[pid][19] == began and fields[pid][0] != "Z"
    ]


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
