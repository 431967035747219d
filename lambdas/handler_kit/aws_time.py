"""The time as AWS tells it: the clock of an execution environment may be wrong."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def time_of(response: Mapping[str, Any]) -> float | None:
    """When AWS sent a response, in seconds since 1970; ``None`` when it does not say so."""
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
