"""What a server did with a request: its status, and the memory and processor time that it took."""

from __future__ import annotations

import contextlib
import http.client
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from container_fuzz.cases import Case

# 503 is none: one request at a time is no overload.
STATUSES = frozenset({200, 400, 404, 405, 406, 408, 411, 413, 414, 415, 431})
MOST_MEGABYTES = 256
MOST_SECONDS = 5.0
_SETTLED_SECONDS = 1.5
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Result:
    """What became of a request.

    Attributes:
        status: The status; 0 without a response.
        seconds: How long it took.
        cpu_seconds: Processor time of the server meanwhile.
        megabytes: How much memory the server took more than before, at most.
    """

    status: int
    seconds: float
    cpu_seconds: float
    megabytes: float

    def faults(self, *, wall: bool) -> list[str]:
        """What is wrong with it; with ``wall``, also how long it took on this machine."""
        found = [] if self.status in STATUSES else [f"status {self.status}"]
        if self.megabytes > MOST_MEGABYTES:
            found.append(f"{self.megabytes:.0f} MB more memory")
        if (self.seconds if wall else self.cpu_seconds) > MOST_SECONDS:
            found.append(f"{self.seconds:.1f} s, {self.cpu_seconds:.1f} s of processor time")
        return found


class Watch:
    """Sends requests to a server, and measures its processes."""

    def __init__(self, process: int, port: int) -> None:
        self.process, self.port = process, port
        self._most = 0
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def settle(self) -> None:
        """Wait until the server has started all its processes, and its memory grows no more."""
        before, since = 0, time.monotonic()
        while time.monotonic() - since < _SETTLED_SECONDS:
            time.sleep(0.1)
            if self._memory() > before + 1_000_000:
                before, since = self._memory(), time.monotonic()

    def close(self) -> None:
        self._ended.set()
        self._sampler.join()

    def send(self, case: Case) -> Result:
        """Send one request, and wait for its response."""
        memory, cpu, began = self._memory(), self._cpu(), time.perf_counter()
        self._most = memory
        status = self._status(case)
        seconds = time.perf_counter() - began
        most = max(self._most, self._memory())
        return Result(status, seconds, self._cpu() - cpu, (most - memory) / 1e6)

    def ping(self) -> float:
        """Seconds that /ping takes; infinity when it is no 200."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/ping")
            return time.perf_counter() - began if connection.getresponse().status == 200 else float("inf")
        except OSError:
            return float("inf")
        finally:
            connection.close()

    def _status(self, case: Case) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.putrequest(case.method, case.path, skip_accept_encoding=True)
            for name, value in case.headers.items():
                connection.putheader(name, value.encode("latin-1"))
            if case.chunked:
                connection.putheader("Transfer-Encoding", "chunked")
                connection.endheaders(iter([case.body]) if case.body else iter([]), encode_chunked=True)
            else:
                connection.putheader("Content-Length", str(len(case.body)))
                connection.endheaders(case.body)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _sample(self) -> None:
        while not self._ended.wait(0.004):
            self._most = max(self._most, self._memory())

    def _memory(self) -> int:
        """The memory of all processes of the server; what they share is counted once for each."""
        total = 0
        for process in processes_of(self.process):
            with contextlib.suppress(OSError, IndexError):
                total += int((process / "statm").read_text().split()[1]) * _PAGE
        return total

    def _cpu(self) -> float:
        """Processor time of all processes of the server, of ended ones too."""
        total = 0
        for process in processes_of(self.process):
            with contextlib.suppress(OSError, IndexError):
                facts = (process / "stat").read_text().rpartition(")")[2].split()
                total += sum(int(one) for one in facts[11:15])
        return total / _TICKS


def processes_of(process: int) -> Iterator[Path]:
    """Give the folder in /proc of a process, and of all below it."""
    waiting = [process]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        yield folder
        with contextlib.suppress(OSError):
            for task in (folder / "task").iterdir():
                waiting.extend(int(one) for one in (task / "children").read_text().split())
