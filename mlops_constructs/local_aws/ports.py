"""Loopback ports for servers that bind them later: no other local AWS may use such a port in the meantime."""

from __future__ import annotations

import fcntl
import os
import random
import socket

from mlops_constructs.local_aws.user_cache import cache_folder

# Below the range from which kernels choose ports for outgoing connections and for servers that bind port 0.
_PORTS = range(20_000, 32_000)


class ReservedPort:
    """A free loopback port that no other local AWS uses until it is released.

    A locked file marks the port as reserved. A bound socket would prevent the server from binding the port.

    Attributes:
        number: The port.
    """

    def __init__(self) -> None:
        """Reserve a port; raise OSError when all ports are in use."""
        for number in random.sample(_PORTS, len(_PORTS)):
            mark = _lock(number)
            if mark is None:
                continue
            if _is_free(number):
                self.number = number
                self._mark: int | None = mark
                return
            os.close(mark)
        raise OSError(f"every port from {_PORTS.start} to {_PORTS.stop - 1} is already in use")

    def release(self) -> None:
        """Release the port. Safe to call twice; the end of this process releases the port too."""
        mark, self._mark = self._mark, None
        if mark is not None:
            os.close(mark)


def _lock(number: int) -> int | None:
    """Mark a port as reserved; None when another process has already done so."""
    mark = os.open(cache_folder("ports") / str(number), os.O_CREAT | os.O_WRONLY)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(mark)
        return None
    return mark


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        # Connections that a recently ended server leaves behind (TIME_WAIT) do not prevent a new bind.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
