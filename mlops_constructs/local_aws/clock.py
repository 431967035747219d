"""The clock of the local AWS: real time, and the time by which it was advanced.

Only one local AWS runs in a process, for moto's state belongs to the process. Therefore its clock is that of the
process too: `utc_now()` is the time of day for code that knows no account, such as moto's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone

Due = tuple[float, Callable[[], None]]
"""A moment, in seconds since 1970, and what is done then."""
Timer = Callable[[float, float], Due | None]
"""Returns the first thing that is due after one moment and not after another."""

_SETTLE_SECONDS = 60.0
_LOOK_SECONDS = 0.02

_as_of: ContextVar[float | None] = ContextVar("as_of", default=None)


class Clock:
    """The time of an account. `advance` moves it forward, through every moment at which something is due."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()
        self._advancing = threading.RLock()
        self._timers: list[Timer] = []
        self._listeners: list[Callable[[], None]] = []
        self._busy: list[Callable[[], bool]] = []

    @property
    def ahead(self) -> float:
        """Seconds by which it was advanced."""
        with self._lock:
            return self._ahead

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.monotonic() + self.ahead

    def time(self) -> float:
        """Seconds since 1970."""
        moment = _as_of.get()
        return time.time() + self.ahead if moment is None else moment

    def utc(self) -> datetime:
        """The time of day in UTC, timezone aware."""
        return datetime.fromtimestamp(self.time(), timezone.utc)

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward by all of these together, at most 100 years.

        It stops at each moment at which a schedule is due, until the functions that the schedule invokes have ended.
        Programs that run meanwhile (jobs, endpoints, builds) take as long as they take.

        Raises:
            ValueError: when they are negative, not a number or too large.
        """
        whole = seconds + 60 * minutes + 3_600 * hours + 86_400 * days
        if not 0 <= whole <= 100 * 366 * 86_400:
            raise ValueError(f"the clock can be moved forward only, by at most 100 years: {whole} seconds")
        with self._advancing:
            reached = time.time() + self.ahead
            until = reached + whole
            while due := self._due(reached, until):
                reached = due[0][0]
                self._move_to(reached)
                for _, act in due:
                    act()
                self._settle()
            self._move_to(until)

    def add_timer(self, timer: Timer) -> None:
        """Let `advance` stop at what is due."""
        self._timers.append(timer)

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call `listener` each time that the clock was moved, in the thread that moves it."""
        self._listeners.append(listener)

    def wait_while(self, busy: Callable[[], bool]) -> None:
        """Let `advance` wait, after what was due, while `busy` returns True; at most a minute."""
        self._busy.append(busy)

    def start(self) -> None:
        """Make it the clock of the process."""
        global _running
        _running = self

    def stop(self) -> None:
        """Leave the process to real time."""
        global _running
        if _running is self:
            _running = None

    @contextmanager
    def as_of(self, moment: float) -> Iterator[None]:
        """Let the code in a block, in this thread, find a moment that has passed as the time of day."""
        token = _as_of.set(moment)
        try:
            yield
        finally:
            _as_of.reset(token)

    def _due(self, after: float, until: float) -> list[Due]:
        """Return all that is due at the first moment at which something is."""
        found = [due for timer in self._timers if (due := timer(after, until)) is not None]
        first = min((moment for moment, _ in found), default=0.0)
        return [due for due in found if due[0] == first]

    def _move_to(self, moment: float) -> None:
        with self._lock:
            self._ahead = max(self._ahead, moment - time.time())
        for listener in self._listeners:
            listener()

    def _settle(self) -> None:
        deadline = time.monotonic() + _SETTLE_SECONDS
        while any(busy() for busy in self._busy) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)


_running: Clock | None = None


def utc_now() -> datetime:
    """The time of day of the local AWS that runs in this process, in UTC, timezone aware; real time when none runs."""
    clock = _running
    return datetime.now(timezone.utc) if clock is None else clock.utc()
