"""Requests by number: the same number gives the same request."""

from __future__ import annotations

import random
from dataclasses import dataclass

from container_fuzz.bodies import FORMATS, RARE, mutated, packed

_CHARSETS = (
    *("utf-8", "UTF8", "utf-16", "latin-1", "ascii", "cp1252", "utf-32", "iso-8859-15", '"utf-8"', "'utf-8'", "", " "),
    *(
        "punycode",
        "idna",
        "utf-7",
        "rot13",
        "zlib",
        "hex",
        "unicode_escape",
        "undefined",
        "mbcs",
        "x" * 3000,
        "a b",
        "\xff",
    ),
)
_TYPES = (
    *FORMATS,
    *("application/csv", "application/x-ndjson", "application/vnd.apache.parquet", "text/plain", "TEXT/CSV", "*/*"),
    *(
        "",
        ";",
        "text/",
        "/",
        "application/json;" * 40,
        "application/octet-stream",
        "multipart/form-data; boundary=a",
        "\xe9",
    ),
)
_ACCEPTS = (
    *(
        "text/csv",
        "application/json",
        "application/jsonlines",
        "application/x-npy",
        "application/x-parquet",
        "*/*",
        "text/*",
    ),
    *(
        "text/csv;q=0",
        "text/csv;q=nan,*/*;q=1e999",
        "*/*;q=-1",
        "q=1",
        ",,,",
        ";;;",
        "a" * 5000,
        "*/*;q=0.5," * 500,
        "\xff",
    ),
)
_ENCODINGS = ("gzip", "gzip", "gzip", "x-gzip", "identity", "br", "gzip, gzip", "deflate", "GZIP", "", "\xff")
_ATTRIBUTES = ("", "trace=1", "x" * 1024, "x" * 5000, "\xff\xfe", "\t", '{"a": 1}', "%0d%0aSet-Cookie: a=b")
_PATHS = (
    "/ping",
    "/metrics",
    "/execution-parameters",
    "/models",
    "/models/x/invoke",
    "/",
    "/invocations/",
    "/%00",
    "/..;/",
)
_METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        number: Its number.
        method, path, headers, body: Its parts.
        chunked: Whether the body comes in chunks, without a length.
    """

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    chunked: bool

    def __str__(self) -> str:
        headers = {name: value[:80] for name, value in self.headers.items()}
        return f"case {self.number}: {self.method} {self.path} {headers}, {len(self.body)} bytes {self.body[:100]!r}"


def case(number: int, *, rare: bool = True) -> Case:
    """Make a request.

    Args:
        number: Which.
        rare: Whether bodies of megabytes are among them.
    """
    rng = random.Random(number)
    kind = rng.choice(list(FORMATS))
    body = FORMATS[kind](rng)
    if rng.random() < 0.6:
        body = mutated(rng, body)
    if rare and rng.random() < 0.08:
        body = rng.choice(RARE)(rng)
    headers = _headers(rng, kind)
    if "Content-Encoding" in headers and rng.random() < 0.8:
        body = packed(rng, body)
    usual = rng.random() < 0.95
    return Case(
        number,
        method="POST" if usual else rng.choice(_METHODS),
        path="/invocations" if usual and rng.random() < 0.97 else rng.choice(_PATHS),
        headers=headers,
        body=body,
        chunked=rng.random() < 0.1,
    )


def _headers(rng: random.Random, kind: str) -> dict[str, str]:
    headers = {"Content-Type": kind if rng.random() < 0.85 else rng.choice(_TYPES)}
    if rng.random() < 0.15:
        headers["Content-Type"] += f"; charset={rng.choice(_CHARSETS)}"
    if rng.random() < 0.3:
        headers["Accept"] = rng.choice(_ACCEPTS)
    if rng.random() < 0.1:
        headers["Content-Encoding"] = rng.choice(_ENCODINGS)
    if rng.random() < 0.1:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = rng.choice(_ATTRIBUTES)
    if rng.random() < 0.05:
        headers["X-Amzn-SageMaker-Inference-Id"] = rng.choice(_ATTRIBUTES)
    if rng.random() < 0.05:
        del headers["Content-Type"]
    return headers
