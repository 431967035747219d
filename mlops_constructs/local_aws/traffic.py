"""Counts the requests to the local AWS: those that are being answered, and those that may have changed something."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READING = ("BatchGet", "Describe", "Get", "List", "Search")


class Traffic:
    """A WSGI application in front of another one.

    Attributes:
        active: How many requests are being answered.
        changes: How many have come that may change something.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.active = self.changes = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            self.active += 1
            self.changes += not _only_reads(environ)
        try:
            return self._application(environ, start_response)
        finally:
            with self._lock:
                self.active -= 1


def _only_reads(environ: WSGIEnvironment) -> bool:
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return environ["REQUEST_METHOD"] in ("GET", "HEAD") or operation.startswith(_READING)
