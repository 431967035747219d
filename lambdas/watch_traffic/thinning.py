"""One record per key and hour, where the records of a user, a session or a batch resemble each other.

Such records are not exchangeable with those of the training data: twenty records of one user are not twenty records.
The first record of each key in an hour is taken. Which one it is does not depend on what it contains.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUR = 3_600.0
# 8 bytes each in the state. In an hour with more keys, the others are left out.
MAX_KEYS = 500_000
_DIGEST_BYTES = 8
Record = TypeVar("Record")


@dataclass
class Thinning:
    """The keys of an hour that have come.

    Two keys with the same 64 bits of SHA-256 are one; the second one is then left out.

    Attributes:
        hour: The hour.
    """

    hour: float = -1.0
    _keys: set[bytes] = field(default_factory=set)

    def takes(self, time: float, key: str) -> bool:
        """Whether this is the first record of a key in its hour; the times of records never go back by an hour."""
        if time // HOUR != self.hour:
            self.hour = time // HOUR
            self._keys.clear()
        digest = hashlib.sha256(key.encode()).digest()[:_DIGEST_BYTES]
        if digest in self._keys or len(self._keys) == MAX_KEYS:
            return False
        self._keys.add(digest)
        return True

    def to_json(self) -> list[object]:
        """Return everything as JSON."""
        return [self.hour, base64.b64encode(b"".join(sorted(self._keys))).decode()]

    @classmethod
    def from_json(cls, written: list[object]) -> Thinning:
        """Read what ``to_json`` has written."""
        hour, text = written
        keys = base64.b64decode(str(text))
        parts = (keys[place : place + _DIGEST_BYTES] for place in range(0, len(keys), _DIGEST_BYTES))
        return cls(float(str(hour)), set(parts))


def one_per_key_and_hour(records: Iterable[tuple[float, str, Record]]) -> Iterator[Record]:
    """Yield the first record of each key in each hour.

    Args:
        records: Time in seconds since 1970, key and record, in the order of time.
    """
    thinning = Thinning()
    for time, key, record in records:
        if thinning.takes(time, key):
            yield record
