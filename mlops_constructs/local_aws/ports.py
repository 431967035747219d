"""Loopback ports for servers that bind them later, by themselves: nobody else may take one meanwhile."""

from __future__ import annotations

import fcntl
import os
import random
import socket
from pathlib import Path

# Below the range from which kernels give ports to outgoing connections and to servers that ask for any port.
_PORTS = range(20_000, 32_000)


class ReservedPort:
    """A free loopback port that no other local AWS takes until it is released.

    A locked file marks it: a socket that held it would keep the server from binding it.

    Attributes:
        number: The port.
    """

    def __init__(self) -> None:
        """Take one; raise OSError when all are taken."""
        for number in random.sample(_PORTS, len(_PORTS)):
            mark = _lock(number)
            if mark is None:
                continue
            if _is_free(number):
                self.number = number
                self._mark: int | None = mark
                return
            os.close(mark)
        raise OSError(f"every port from {_PORTS.start} to {_PORTS.stop - 1} is taken")

    def release(self) -> None:
        """Let others take it; safe to call twice. It happens by itself when this process ends."""
        mark, self._mark = self._mark, None
        if mark is not None:
            os.close(mark)


def _lock(number: int) -> int | None:
    """Mark a port as ours, or give None where another has done so."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(base) if base else Path.home() / ".cache") / "local-aws" / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    mark = os.open(folder / str(number), os.O_CREAT | os.O_WRONLY)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(mark)
        return None
    return mark


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        # A server that has ended a moment ago leaves connections behind, which are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
