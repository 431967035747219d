"""One serving process: it loads the model, serves requests until SIGTERM, and exits if it hangs."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_contract.errors import ContractError, ModelError
from sagemaker_contract.formats.parquet import reader
from sagemaker_contract.serving.application import Application
from sagemaker_contract.serving.draining import DrainingServer
from sagemaker_contract.serving.listeners import take_new_connections
from sagemaker_contract.serving.memory import Crowds, give_memory_back
from sagemaker_contract.serving.models import Threads, load_model
from sagemaker_contract.serving.multi_model import MultiModel

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_contract.paths import Paths
    from sagemaker_contract.serving.listeners import Listeners
    from sagemaker_contract.serving.models import ServedModel
    from sagemaker_contract.serving.settings import Settings
    from sagemaker_contract.serving.telemetry import Telemetry

_log = logging.getLogger("serve")
ENDED, CANNOT_LOAD, HUNG = 0, 3, 4
_WATCH_SECONDS = 1.0
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@dataclass
class Worker:
    """A worker; ``listeners`` are those of all workers, and ``parent`` is a pipe that ends when the supervisor ends.

    With ``replaces`` it listens only after its model is loaded. With ``early`` it serves with the ONNX model alone,
    until the other workers have imported the algorithm.
    """

    settings: Settings
    paths: Paths
    listeners: Listeners
    telemetry: Telemetry
    parent: int
    replaces: bool
    early: bool = False

    def run(self) -> int:
        """Serve; return the exit code."""
        self._code = ENDED
        self._threads = Threads(_thread("predict"), _thread("bodies"))
        models = MultiModel(self._load, _thread("load")) if self.settings.multi_model else None
        self._application = Application(
            self.settings, self.telemetry, self._threads.bodies, models, hands_over=self.early
        )
        if self.replaces:
            # The other workers serve meanwhile. This one must not accept connections before it can respond.
            signal.signal(signal.SIGTERM, lambda *_: os._exit(ENDED))
            try:
                self._application.model = self._load(self.paths.model)
            except Exception as error:
                self._say_why(error)
                return self._code
        own = self.listeners.of(self.telemetry.worker)
        take_new_connections(own)
        self._server = DrainingServer(self._application, own, self._started)
        self._server.run(sockets=[own])
        return self._code

    async def _started(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self.parent, self._orphaned)
        if self._application.model is None and not self.settings.multi_model:
            try:
                self._application.model = await loop.run_in_executor(
                    self._threads.predictions, self._load, self.paths.model
                )
            except Exception as error:
                self._say_why(error)
                self._server.should_exit = True
                return
        # The loaded objects stay, so garbage collection can skip them. Requests create no reference cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        self.telemetry.ready()
        _log.info("ready on port %d", self.settings.port)
        await self._watch()

    def _load(self, directory: Path) -> ServedModel:
        model = load_model(directory, self.settings, self._threads, self.telemetry)
        if not self.early:
            model.complete()
        return model

    def _say_why(self, error: Exception) -> None:
        self._code = CANNOT_LOAD
        if not isinstance(error, ContractError):
            _log.error("loading the model failed", exc_info=error)
            reason = f"{type(error).__name__}: {error}"
            error = ModelError(f"cannot load the model in {self.paths.model}: {reason}")
        _log.error("%s", error)

    def _orphaned(self) -> None:
        asyncio.get_running_loop().remove_reader(self.parent)
        self._server.drain()

    async def _watch(self) -> None:
        """Look after the server every second, whatever happens."""
        crowds = Crowds()
        while True:
            self.telemetry.alive()
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                await self._look(crowds)
            except Exception:
                # For example without memory, or without a file descriptor. It must not end the watch.
                _log.exception("the worker could not look after its connections")

    async def _look(self, crowds: Crowds) -> None:
        """Close stalled connections, give memory back, and exit if a call hangs, because it blocks all others."""
        since = self._application.busy_since
        if since and time.monotonic() - since > self.settings.hung_seconds:
            _log.error("a prediction has run for %d seconds; the worker is replaced", self.settings.hung_seconds)
            os._exit(HUNG)
        self._application.unread.refuse_overdue()
        self._server.close_stalled()
        await self._server.accept_for_others(self.listeners, self.telemetry)
        reader.end_if_idle()
        connections, application = len(self._server.server_state.connections), self._application
        if crowds.have_gone(connections, application.budget.held, application.gate):
            self._threads.bodies.submit(give_memory_back)


def _thread(name: str) -> ThreadPoolExecutor:
    """Start a thread now: later, the system may refuse it."""
    thread = ThreadPoolExecutor(1, name)
    thread.submit(int).result()
    return thread
