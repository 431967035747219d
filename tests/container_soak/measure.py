"""What the processes of a server take: memory and file descriptors."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from container_fuzz.watch import processes_of


@dataclass(frozen=True)
class Taken:
    """What all processes of a server take together.

    Attributes:
        megabytes: Their memory; what they share is counted once (PSS).
        descriptors: Their open file descriptors.
    """

    megabytes: float
    descriptors: int


def taken_by(process: int) -> Taken:
    """Measure a process and all below it."""
    kilobytes = descriptors = 0
    for folder in processes_of(process):
        with contextlib.suppress(OSError, StopIteration):
            lines = (folder / "smaps_rollup").read_text().splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            descriptors += sum(1 for _ in (folder / "fd").iterdir())
    return Taken(kilobytes / 1024, descriptors)


def children_of(process: int) -> set[int]:
    """Give the process ids of the workers."""
    _, *below = processes_of(process)
    return {int(folder.name) for folder in below if b"parquet" not in (folder / "cmdline").read_bytes()}
