"""What the processes of a server take: memory and file descriptors."""

from __future__ import annotations

import contextlib
import threading
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


class Peak:
    """Measures the memory again and again.

    Attributes:
        megabytes: The most since it was set.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self.megabytes = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self.megabytes = max(self.megabytes, taken_by(self._process).megabytes)
