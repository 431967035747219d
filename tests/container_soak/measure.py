"""What the processes of a server take: memory and file descriptors."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from container_fuzz.watch import processes_of

# ESTABLISHED, and CLOSE_WAIT, in which only the client has closed.
_NOT_CLOSED = ("01", "08")

_NOT_OF_FILES = ("Pss_Anon:", "Pss_Shmem:")


@dataclass(frozen=True)
class Taken:
    """What all processes of a server take together.

    Attributes:
        megabytes: Their memory; what they share is counted once (PSS). Pages of files do not count: the system takes
            them back when it needs them, and their share depends on who else has the same libraries open.
        descriptors: Their open file descriptors.
    """

    megabytes: float
    descriptors: int


def taken_by(process: int) -> Taken:
    """Measure a process and all below it."""
    kilobytes = descriptors = 0
    for folder in processes_of(process):
        with contextlib.suppress(OSError):
            lines = (folder / "smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith(_NOT_OF_FILES))
            descriptors += sum(1 for _ in (folder / "fd").iterdir())
    return Taken(kilobytes / 1024, descriptors)


def connections_of(port: int) -> dict[int, str]:
    """Give what is queued on each connection that a server has not closed, by the port of its client.

    A client that does not read cannot tell: what the server still sends hides the end.
    """
    found = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queued, *_ = line.split()
        if int(local.partition(":")[2], 16) == port and state in _NOT_CLOSED:
            found[int(remote.partition(":")[2], 16)] = queued
    return found


def children_of(process: int) -> set[int]:
    """Give the process ids of the workers."""
    _, *below = processes_of(process)
    return {int(folder.name) for folder in below if b"parquet" not in (folder / "cmdline").read_bytes()}
