"""The first process of the container: it starts the workers, replaces those that die, and stops them in time."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from sagemaker_contract.acceleration import CHECK, FOLDER
from sagemaker_contract.interface import load_serving_module
from sagemaker_contract.serving.hook_functions import check_default_accept, check_module
from sagemaker_contract.serving.listeners import Listeners
from sagemaker_contract.serving.telemetry import Board

if TYPE_CHECKING:
    from types import FrameType

    from sagemaker_contract.paths import Paths
    from sagemaker_contract.serving.settings import Settings

_log = logging.getLogger("serve")
_KILL_SECONDS = 24.5
_LOOK_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# If a worker ran this long, its start was not the cause of its end.
_HEALTHY_SECONDS = 60
_SILENT = b'{"error": "no worker responds; try again"}'
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(_SILENT), _SILENT)
)


class Supervisor:
    """Starts and watches the workers, which it keeps by process id."""

    def __init__(self, settings: Settings, paths: Paths) -> None:
        self._settings = settings
        self._paths = paths
        self._board = Board(settings.workers)
        self._workers: dict[int, tuple[int, float]] = {}
        self._ending = False
        self._kill_at = float("inf")
        self._kill_early_at = float("inf")
        self._pause = _FIRST_PAUSE_SECONDS
        self._alive_read, self._alive_write = os.pipe()
        # On other systems, libraries do not work reliably if they are imported before a fork.
        self._preloads = sys.platform.startswith("linux")
        self._has_early = self._preloads and _can_answer_early(settings, paths)

    def run(self) -> int:
        """Serve until SIGTERM, then return 0; return 1 if a worker cannot load the model."""
        self._listeners = Listeners(
            self._settings.host, self._settings.port, self._settings.workers + bool(self._has_early)
        )
        self._preload_server()
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, self._end)
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, _LOOK_SECONDS, _LOOK_SECONDS)
        if self._has_early:
            # Such a model has no functions of sagemaker-inference, so this is known before the import.
            check_default_accept(self._settings)
            self._start(self._early, replaces=False)
        self._preload_algorithm()
        for number in range(self._settings.workers):
            self._start(number, replaces=self._has_early)
        exit_code = 0
        while self._workers:
            exit_code = max(exit_code, self._wait())
        return exit_code

    @property
    def _early(self) -> int:
        """The number of the early worker."""
        return self._settings.workers

    def _preload_server(self) -> None:
        """Import once the modules that every worker needs: they share the memory, and start faster."""
        if self._preloads:
            for name in ("uvicorn.protocols.http.auto", "sagemaker_contract.serving.worker"):
                importlib.import_module(name)
            if self._settings.acceleration and (self._paths.model / FOLDER / CHECK).is_file():
                importlib.import_module("onnxruntime")

    def _preload_algorithm(self) -> None:
        """Import the algorithm, which takes the most time."""
        if self._preloads and not self._ending:
            check_module(load_serving_module(), self._settings)
            gc.collect()
            gc.freeze()

    def _start(self, number: int, *, replaces: bool) -> None:
        pid = self._fork()
        if pid is None:
            return
        if pid == 0:
            # A worker ends with _exit: threads of native libraries do not survive the fork, a normal exit may wait.
            os._exit(self._become_worker(number, replaces=replaces))
        self._workers[pid] = (number, time.monotonic())
        if self._ending:
            # The signal arrived during the fork, before this worker was known.
            _kill(pid, signal.SIGTERM)

    def _fork(self) -> int | None:
        """Return what ``fork`` returns, or ``None`` when the server ends; try again while there is no memory for it."""
        while not self._ending:
            try:
                return os.fork()
            except OSError as error:
                _log.error("cannot start a worker: %s; trying again in %.1f s", error.strerror, self._pause)
                self._sleep()
        return None

    def _sleep(self) -> None:
        """Wait before the next start of a worker, each time longer, but not when the server ends."""
        end = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        while not self._ending and time.monotonic() < end:
            time.sleep(0.05)

    def _become_worker(self, number: int, *, replaces: bool) -> int:
        try:
            from sagemaker_contract.serving.worker import Worker

            os.close(self._alive_write)
            signal.setitimer(signal.ITIMER_REAL, 0)
            for one in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                signal.signal(one, signal.SIG_DFL)
            telemetry = self._board.row(number)
            early = number == self._early
            return Worker(
                self._settings, self._paths, self._listeners, telemetry, self._alive_read, replaces, early=early
            ).run()
        except BaseException:
            _log.exception("the worker failed")
            return 1
        finally:
            logging.shutdown()
            sys.stdout.flush()

    def _wait(self) -> int:
        """Wait until a worker ends, and replace it if necessary; return a lower limit for the server's exit code."""
        from sagemaker_contract.serving.worker import CANNOT_LOAD

        pid, status = os.waitpid(-1, 0)
        if pid not in self._workers:
            # Process 1 also inherits the orphaned children of other processes.
            return 0
        number, began = self._workers.pop(pid)
        if self._ending:
            return 0
        code = os.waitstatus_to_exitcode(status)
        if code == CANNOT_LOAD and not self._board.all_ready():
            self._end(signal.SIGTERM, None)
            return 1
        if number == self._early:
            self._board.retired(number)
            _log.log(logging.ERROR if code else logging.INFO, "the early worker ended with %d", code)
            return 0
        if time.monotonic() - began > _HEALTHY_SECONDS:
            self._pause = _FIRST_PAUSE_SECONDS
        if not any(self._board.was_heard(other) for other, _ in self._workers.values()):
            # Nobody would accept connections until a worker has loaded the model.
            self._listeners.stop()
        _log.error("worker %d ended with %d; another starts in %.1f s", pid, code, self._pause)
        self._sleep()
        self._board.restarted(number)
        self._start(number, replaces=self._board.all_ready())
        return 0

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._ending:
            self._ending = True
            self._kill_at = time.monotonic() + _KILL_SECONDS
        for pid in tuple(self._workers):
            _kill(pid, signal.SIGTERM)

    def _look(self, _signal: int, _frame: FrameType | None) -> None:
        """Kill a worker that hangs and cannot detect it itself; when the time to shut down is over, kill all.

        Stop the early worker once all others are ready. Respond to clients that wait when no worker does.
        """
        now = time.monotonic()
        if self._board.quiet_seconds() > self._settings.timeout_seconds:
            self._listeners.refuse(_REFUSAL)
        stops_early = self._board.all_ready()
        if stops_early:
            self._kill_early_at = min(self._kill_early_at, now + _KILL_SECONDS)
        for pid, (number, _) in tuple(self._workers.items()):
            if now > (self._kill_early_at if number == self._early else self._kill_at):
                _kill(pid, signal.SIGKILL)
            elif self._ending:
                continue
            elif number == self._early and stops_early:
                _kill(pid, signal.SIGTERM)
            elif self._board.silent_seconds(number) > self._settings.hung_seconds:
                seconds = self._settings.hung_seconds
                _log.error("worker %d has not responded for %d seconds; the worker is replaced", pid, seconds)
                _kill(pid, signal.SIGKILL)


def _kill(pid: int, number: int) -> None:
    # It may have ended, and been waited for, a moment ago.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _can_answer_early(settings: Settings, paths: Paths) -> bool:
    from sagemaker_contract.serving.models import answers_without_algorithm

    return not settings.multi_model and answers_without_algorithm(paths.model, settings)
