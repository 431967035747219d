"""A random number between 0 and 1 for each record of a stream, the same whenever somebody looks."""

from __future__ import annotations

import hashlib
import struct

_EACH = 8
_DIGEST = struct.Struct("<8Q")
# A float has 53 digits: none of these numbers is rounded to 1.
_SHIFT, _SCALE = 11, 2.0**-53


def ties(salt: str, first: int, count: int) -> list[float]:
    """Return the numbers of ``count`` records: of SHA-512 of the salt and the record's number in the stream."""
    found: list[int] = []
    start = first // _EACH
    for group in range(start, (first + count + _EACH - 1) // _EACH):
        found.extend(_DIGEST.unpack(hashlib.sha512(f"{salt}:{group}".encode()).digest()))
    offset = first - start * _EACH
    return [(value >> _SHIFT) * _SCALE for value in found[offset : offset + count]]
