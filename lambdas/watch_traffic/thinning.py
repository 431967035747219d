"""One record per key and hour, where the records of a user, a session or a batch resemble each other.

Such records are not exchangeable with those of the training data: twenty records of one user are not twenty records.
The first record of each key in an hour is taken. Which one it is does not depend on what it contains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUR = 3_600.0
Record = TypeVar("Record")


def one_per_key_and_hour(records: Iterable[tuple[float, str, Record]]) -> Iterator[Record]:
    """Yield the first record of each key in each hour.

    Args:
        records: Time in seconds since 1970, key and record, in the order of time.
    """
    hour, seen = -1.0, set[str]()
    for time, key, record in records:
        if time // HOUR != hour:
            hour = time // HOUR
            seen.clear()
        if key not in seen:
            seen.add(key)
            yield record
