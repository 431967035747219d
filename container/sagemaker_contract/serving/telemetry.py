"""The server's metrics, in memory that all workers share, and their text for Prometheus."""

from __future__ import annotations

import mmap
import time
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATUSES = (200, 400, 404, 405, 406, 408, 409, 413, 415, 500, 503, 507)
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCH_RECORDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 10_000, 100_000)

_READY = 0
_RESTARTS = 1
_WAITING = 2
_HEARTBEAT = 3
_ALTERED = 4
_STATUS = 5
_SECONDS = _STATUS + len(STATUSES)
_BATCHES = _SECONDS + len(REQUEST_SECONDS) + 2
_CELLS = _BATCHES + len(BATCH_RECORDS) + 2


class Board:
    """One row of numbers per worker, created before the workers. Each worker writes its own row, and can read all.

    The last row is that of the early worker, which serves requests until the others are ready.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._rows = range(workers + 1)
        self._cells = memoryview(mmap.mmap(-1, 8 * len(self._rows) * _CELLS)).cast("d")

    def answers(self) -> bool:
        """Whether every worker that accepts connections is ready."""
        return self.all_ready() or bool(self._cells[self.workers * _CELLS + _READY])

    def all_ready(self) -> bool:
        """Whether every worker except the early one is ready."""
        return all(self._cells[worker * _CELLS + _READY] for worker in range(self.workers))

    def retired(self, worker: int) -> None:
        """Record that a worker has ended and is not replaced; its counters remain."""
        for cell in (_READY, _WAITING, _HEARTBEAT, _ALTERED):
            self._cells[worker * _CELLS + cell] = 0

    def restarted(self, worker: int) -> None:
        """Count a restart. The new worker counts as ready at once, because it listens only after it has loaded."""
        self._cells[worker * _CELLS + _RESTARTS] += 1
        for cell in (_WAITING, _HEARTBEAT, _ALTERED):
            self._cells[worker * _CELLS + cell] = 0

    def was_heard(self, worker: int) -> bool:
        """Whether a worker has had a heartbeat since it started."""
        return bool(self._cells[worker * _CELLS + _HEARTBEAT])

    def silent_seconds(self, worker: int) -> float:
        """Seconds since a worker's last heartbeat; 0 before the first one."""
        heard = self._cells[worker * _CELLS + _HEARTBEAT]
        return time.monotonic() - heard if heard else 0.0

    def quiet_seconds(self) -> float:
        """Seconds since the last heartbeat of any worker; 0 before the first one."""
        return min((self.silent_seconds(worker) for worker in self._rows if self.was_heard(worker)), default=0.0)

    def row(self, worker: int) -> Telemetry:
        return Telemetry(self, worker, self._cells[worker * _CELLS : (worker + 1) * _CELLS])

    def prometheus(self) -> str:
        """The metrics of all workers, in Prometheus' text format."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _metric("serve_workers_ready", "gauge", "Workers whose model is loaded.", self._sum(_READY))
        yield from _metric("serve_worker_restarts_total", "counter", "Workers replaced.", self._sum(_RESTARTS))
        yield from _metric("serve_waiting_requests", "gauge", "Requests without a response yet.", self._sum(_WAITING))
        yield from _metric("serve_altered_model", "gauge", "1: not as trained.", min(1, self._sum(_ALTERED)))
        yield "# HELP serve_requests_total Invocations, by HTTP status."
        yield "# TYPE serve_requests_total counter"
        for index, status in enumerate(STATUSES):
            yield f'serve_requests_total{{status="{status}"}} {self._sum(_STATUS + index):.0f}'
        yield from self._histogram("serve_request_seconds", "Time until the response.", _SECONDS, REQUEST_SECONDS)
        yield from self._histogram("serve_batch_records", "Records per prediction call.", _BATCHES, BATCH_RECORDS)

    def _histogram(self, name: str, text: str, start: int, bounds: Sequence[float]) -> Iterator[str]:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} histogram"
        count = 0.0
        for index, bound in enumerate(bounds):
            count += self._sum(start + index)
            yield f'{name}_bucket{{le="{bound}"}} {count:.0f}'
        count += self._sum(start + len(bounds))
        yield f'{name}_bucket{{le="+Inf"}} {count:.0f}'
        yield f"{name}_sum {self._sum(start + len(bounds) + 1):.6f}"
        yield f"{name}_count {count:.0f}"

    def _sum(self, column: int) -> float:
        return sum(self._cells[worker * _CELLS + column] for worker in self._rows)


class Telemetry:
    """One worker's row."""

    def __init__(self, board: Board, worker: int, cells: memoryview[float]) -> None:
        self.board = board
        self.worker = worker
        self._cells = cells
        self._status = {status: _STATUS + index for index, status in enumerate(STATUSES)}

    def ready(self) -> None:
        self._cells[_READY] = 1

    def altered(self) -> None:
        self._cells[_ALTERED] = 1

    def alive(self) -> None:
        self._cells[_HEARTBEAT] = time.monotonic()

    def waiting(self, requests: int) -> None:
        self._cells[_WAITING] = requests

    def answered(self, status: int, seconds: float) -> None:
        cells = self._cells
        if status in self._status:
            cells[self._status[status]] += 1
        cells[_SECONDS + bisect_left(REQUEST_SECONDS, seconds)] += 1
        cells[_BATCHES - 1] += seconds

    def predicted(self, records: int) -> None:
        cells = self._cells
        cells[_BATCHES + bisect_left(BATCH_RECORDS, records)] += 1
        cells[_CELLS - 1] += records


def _metric(name: str, kind: str, text: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {value:.0f}"
