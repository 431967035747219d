"""The JSON objects that a pipeline stores in its buckets: a person may have changed one by hand."""

from __future__ import annotations

import json
from typing import Any

from ..errors import MlopsError


def json_object(body: bytes, place: str, what: str) -> dict[str, Any]:
    """Return what a stored document contains.

    Args:
        body: Its content.
        place: Its S3 URI.
        what: What it should be, such as ``the record of a release``.

    Raises:
        MlopsError: when it is not a JSON object.
    """
    try:
        found = json.loads(body)
    except ValueError as error:
        raise MlopsError(f"{place} is not {what}: {error}; restore its last good version") from error
    if not isinstance(found, dict):
        raise MlopsError(f"{place} is not {what}: it is not a JSON object; restore its last good version")
    return found
