"""Checksums that a client sends with an object, compared with the received bytes."""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import cache
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_CALLS = ("s3:PutObject", "s3:UploadPart")
_MD5_BYTES = 16


def _crc32(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big")


def _crc32c(body: bytes) -> bytes:
    return _reflected_crc(body, 0x82F63B78, 4)


def _crc64nvme(body: bytes) -> bytes:
    return _reflected_crc(body, 0x9A6C9329AC4BC9B5, 8)


def _reflected_crc(body: bytes, polynomial: int, size: int) -> bytes:
    table, everything = _table(polynomial), (1 << 8 * size) - 1
    value = everything
    for byte in body:
        value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
    return (value ^ everything).to_bytes(size, "big")


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    rows = []
    for row in range(256):
        value = row
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        rows.append(value)
    return tuple(rows)


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
_ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": _crc32,
    "CRC32C": _crc32c,
    "CRC64NVME": _crc64nvme,
    "SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}


def _checksum(params: Params, _: Account) -> str | None:
    body, trailers = _decoded(params)
    for name, digest in _ALGORITHMS.items():
        sent = params.get(f"Checksum{name}", trailers.get(f"x-amz-checksum-{name.lower()}"))
        if sent is not None and base64.b64encode(digest(body)).decode() != sent:
            return f"The {name} you specified did not match the calculated checksum."
    return None


def _malformed_md5(params: Params, _: Account) -> str | None:
    sent = params.get("ContentMD5")
    if sent is None:
        return None
    try:
        length = len(base64.b64decode(sent, validate=True))
    except ValueError:
        length = 0
    return None if length == _MD5_BYTES else "The Content-MD5 you specified was invalid."


def _md5(params: Params, _: Account) -> str | None:
    sent = params.get("ContentMD5")
    if sent is None:
        return None
    digest = hashlib.md5(_decoded(params)[0], usedforsecurity=False).digest()
    if base64.b64encode(digest).decode() != sent:
        return "The Content-MD5 you specified did not match what we received."
    return None


def _decoded(params: Params) -> tuple[bytes, dict[str, str]]:
    """The object's bytes, and the checksums that follow them if the body is sent in chunks (aws-chunked)."""
    sent = params.get("Body", b"")
    body: bytes = sent.read() if hasattr(sent, "read") else sent
    if "aws-chunked" not in params.get("ContentEncoding", ""):
        return body, {}
    parts: list[bytes] = []
    position = 0
    while position < len(body):
        end = body.index(b"\r\n", position)
        size = int(body[position:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts), _trailers(body[end + 2 :])
        parts.append(body[end + 2 : end + 2 + size])
        position = end + 2 + size + 2
    return b"".join(parts), {}


def _trailers(lines: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines.decode("latin-1").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, sign, value in pairs if sign}


_ERRORS = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"

RULES = (
    Rule(_CALLS, "InvalidDigest", _ERRORS, _malformed_md5),
    Rule(_CALLS, "BadDigest", _ERRORS, _md5),
    Rule(_CALLS, "BadDigest", _ERRORS, _checksum),
)
