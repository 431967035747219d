"""Give free memory back to the system. Otherwise a process keeps what its largest requests needed."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import TYPE_CHECKING

from sagemaker_contract.serving.budget import SMALL_BYTES

if TYPE_CHECKING:
    from sagemaker_contract.serving.budget import Gate

_MANY_CONNECTIONS = 200
_MANY_BYTES = 16 * 1024 * 1024


class Crowds:
    """Notices when what takes much memory has gone: large bodies and responses, or many connections."""

    def __init__(self) -> None:
        self._passed = 0
        self._most_connections = self._most_bytes = 0
        self._some_remain = False

    def have_gone(self, connections: int, held: int, gate: Gate) -> bool:
        """Whether some have gone since the last time, or the last of them; must be called regularly."""
        self._most_connections = max(self._most_connections, connections)
        self._most_bytes = max(self._most_bytes, held)
        gone = (
            (gate.passed != self._passed and gate.is_empty)
            or self._most_connections - connections > max(_MANY_CONNECTIONS, self._most_connections // 2)
            or self._most_bytes - held > _MANY_BYTES
        )
        if gone:
            self._passed, self._most_connections, self._most_bytes = gate.passed, connections, held
        remained, self._some_remain = self._some_remain, (gone or self._some_remain) and held > SMALL_BYTES
        return gone or (remained and not self._some_remain)


def give_memory_back() -> None:
    """Give back what the allocators of C and of pyarrow keep; takes some milliseconds."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    # Only glibc has it.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
