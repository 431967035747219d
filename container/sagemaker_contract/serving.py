"""The serving program: loads the model, answers until SIGTERM, then finishes what it began."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_contract.errors import ConfigurationError, ContractError, ModelError
from sagemaker_contract.interface import load_algorithm
from sagemaker_contract.paths import Paths

if TYPE_CHECKING:
    import uvicorn

    from sagemaker_contract.asgi import Application

_log = logging.getLogger("serve")
# SageMaker kills the container 30 seconds after SIGTERM.
_DRAIN_SECONDS = 25
_IDLE_CONNECTION_SECONDS = 75


@dataclass(frozen=True)
class Settings:
    """How the server listens and answers; each field is one environment variable."""

    host: str
    port: int
    default_accept: str | None
    maximum_body_megabytes: int

    @classmethod
    def from_env(cls) -> Settings:
        """Read the environment.

        Raises:
            ConfigurationError: For a number out of its range, or a media type that no answer can have.
        """
        return cls(
            host=os.environ.get("SAGEMAKER_BIND_TO_HOST") or "0.0.0.0",
            port=_whole_number("SAGEMAKER_BIND_TO_PORT", default=8080, maximum=65535),
            default_accept=_media_type("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"),
            maximum_body_megabytes=_whole_number("SAGEMAKER_MAX_PAYLOAD_IN_MB", default=6, maximum=100),
        )


def main() -> int:
    """Serve; the exit code is 0 after SIGTERM, and 1 when there is nothing to serve with."""
    # uvicorn drains on these, then raises them again for whoever had them before: a good end. Until uvicorn
    # runs there is nothing to drain, and process 1 would ignore the signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.basicConfig(format="serve: %(message)s", level=logging.INFO)
    try:
        _serve(Settings.from_env(), Paths.from_env())
    except ContractError as error:
        # Only the reason is logged here; what led to it was logged where it happened.
        _log.error("%s", error)
        return 1
    return 0


def _serve(settings: Settings, paths: Paths) -> None:
    import uvicorn

    from sagemaker_contract.asgi import Application

    listener = _listen(settings.host, settings.port)
    application = Application(settings.maximum_body_megabytes * 1024 * 1024)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    loading = _Loading(settings, paths, application, server)
    loading.start()
    server.run(sockets=[listener])
    if loading.error is not None:
        raise loading.error


class _Loading(threading.Thread):
    """Loads the model beside the server, which answers 503 until then; a failure stops the server."""

    def __init__(self, settings: Settings, paths: Paths, application: Application, server: uvicorn.Server) -> None:
        super().__init__(name="load", daemon=True)
        self.error: ContractError | None = None
        self._settings = settings
        self._paths = paths
        self._application = application
        self._server = server

    def run(self) -> None:
        started = time.monotonic()
        try:
            self._load()
        except ContractError as error:
            self.error = error
        except Exception as error:
            _log.exception("loading the model failed")
            reason = f"{type(error).__name__}: {error}"
            self.error = ModelError(f"cannot load the model in {self._paths.model}: {reason}")
        else:
            seconds = time.monotonic() - started
            _log.info("model loaded in %.1f s, port %d", seconds, self._settings.port)
            return
        self._server.should_exit = True

    def _load(self) -> None:
        from sagemaker_contract.invocations import InvocationHandler

        if not self._paths.model.is_dir() or not any(self._paths.model.iterdir()):
            raise ModelError(f"there is no model in {self._paths.model}: the folder is missing or empty")
        algorithm = load_algorithm()
        model = algorithm.load(self._paths.model)
        self._application.handler = InvocationHandler(algorithm, model, self._settings.default_accept)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listener


def _media_type(name: str) -> str | None:
    from sagemaker_contract.codecs import ENCODERS

    media_type = os.environ.get(name) or None
    if media_type is not None and media_type not in ENCODERS:
        raise ConfigurationError(f"{name} must be one of {', '.join(ENCODERS)}, got {media_type!r}")
    return media_type


def _whole_number(name: str, *, default: int, maximum: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise ConfigurationError(f"{name} must be a whole number from 1 to {maximum}, got {text!r}")
    return int(text)
