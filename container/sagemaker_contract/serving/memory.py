"""Give free memory back to the system. Otherwise a process keeps what its largest requests needed."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def give_memory_back() -> None:
    """Give back what the allocators of C and of pyarrow keep; takes some milliseconds."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    # Only glibc has it.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
