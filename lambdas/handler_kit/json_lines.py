"""Objects in S3 as lines of JSON, of which any may be broken or huge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 20
# A request and its response may have 6 MiB each, and base64 makes a third more of it.
MAX_LINE_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Listed:
    """An object.

    Attributes:
        key: Its key.
        arrived: When it was written, in seconds since 1970.
        size: Its size in bytes.
    """

    key: str
    arrived: float
    size: int


def listed(s3: Any, bucket: str, prefix: str, start_after: str = "") -> Iterator[Listed]:
    """Yield the objects under a prefix in the order of their keys."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=start_after):
        for one in page.get("Contents", []):
            yield Listed(one["Key"], one["LastModified"].timestamp(), one["Size"])


def json_lines(s3: Any, bucket: str, key: str) -> Iterator[dict[str, Any] | None]:
    """Yield each line that is not empty: a JSON object, or None where it is none or has over MAX_LINE_BYTES.

    An object that somebody has deleted since it was listed has no lines.
    """
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return
        raise
    for line in _bounded_lines(body):
        if line is None or line.strip():
            yield None if line is None else _object(line)


def _bounded_lines(body: Any) -> Iterator[bytes | None]:
    """Yield the lines of a stream, and None in the place of each that is too long; those are never kept."""
    rest, too_long = b"", False
    for chunk in body.iter_chunks(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield None if too_long else line
            too_long = False
        if too_long or len(rest) > MAX_LINE_BYTES:
            rest, too_long = b"", True
    yield None if too_long else rest


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
