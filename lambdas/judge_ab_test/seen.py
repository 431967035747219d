"""Which units, requests or users, have been counted, and when each came first: of each, 16 bytes in the state."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from dataclasses import dataclass, field

_ENTRY = struct.Struct("<Qd")
# 16 MB, and about 150 MB in memory. Requests beyond it are forgotten, the oldest first.
MAX_UNITS = 1_000_000


@dataclass
class Seen:
    """The units that have been counted.

    Two units with the same 64 bits of SHA-256 are one; the second one is then not counted, whatever its outcome is.

    Attributes:
        memory: After so many seconds a unit that comes again is a new one; infinite for users, who are never forgotten.
    """

    memory: float
    _times: dict[int, float] = field(default_factory=dict)

    def first_time(self, unit: str, at: float) -> float | None:
        """Return when a unit came first, if that is not longer ago than the memory."""
        time = self._times.get(_digest(unit))
        return time if time is not None and at - time <= self.memory else None

    def add(self, unit: str, time: float) -> None:
        """Remember a unit."""
        self._times[_digest(unit)] = time

    def forget(self, before: float) -> None:
        """Forget what came before, unless units are never forgotten."""
        if math.isinf(self.memory):
            return
        kept = {unit: time for unit, time in self._times.items() if time >= before}
        if len(kept) > MAX_UNITS:
            limit = sorted(kept.values())[-MAX_UNITS]
            kept = {unit: time for unit, time in kept.items() if time >= limit}
        self._times = kept

    def to_text(self) -> str:
        """Return everything as text."""
        return base64.b64encode(b"".join(_ENTRY.pack(*entry) for entry in sorted(self._times.items()))).decode()

    @classmethod
    def from_text(cls, text: str, memory: float) -> Seen:
        """Read what ``to_text`` has written."""
        return cls(memory, dict(_ENTRY.iter_unpack(base64.b64decode(text))))


def _digest(unit: str) -> int:
    return int.from_bytes(hashlib.sha256(unit.encode()).digest()[:8], "little")
