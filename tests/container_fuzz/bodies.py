"""Bodies of every format: valid ones, and what becomes of them."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable

import numpy as np

MOST = 6 * 1024 * 1024

# What parsers stumble over.
TOKENS = (
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"1" * 400, b"0x1F", b"1_000", b"null", b"true", b"'", b'"', b'""'),
    *(
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\r",
        b"\n\n",
        b"\x1a",
        b",",
        b";",
        b"\t",
        b"[",
        b"{",
        b"}]",
    ),
    *(
        b'{"instances": ',
        b'{"features":',
        b"\\ud800",
        b"\\u0000",
        "é".encode("latin-1"),
        "٣".encode(),
        b" " * 300,
        b"=1+1",
    ),
    *(b"\x93NUMPY\x01\x00", b"PAR1", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"'descr': '|O'", b"(9999999999,)"),
)

# What a long body consists of.
_UNITS = (
    *(
        b"1,",
        b"1,2,3,4\n",
        b"[",
        b"[[",
        b'{"a":',
        b"[1],",
        b"\n",
        b",",
        b'"',
        b'""',
        b"\0",
        b"[],",
        b"9",
        b"a",
        b"{},",
        b"{}\n",
    ),
    *(b'"ab",', b"null,", b"[{}],", b"[1,2,3,4]\n", b"ab,cd\n", b'{"features":[1,2,3,4]},'),
)

Make = Callable[[random.Random], bytes]


def _number(rng: random.Random) -> float | int:
    return rng.choice((rng.randint(-9, 9), rng.random() * 10, rng.uniform(-1e308, 1e308), 10 ** rng.randint(1, 320)))


def _table(rng: random.Random, values: int = 400) -> list[list[float | int]]:
    if rng.random() < 0.7:
        return [[round(rng.uniform(0, 8), 1) for _ in range(4)] for _ in range(rng.randint(1, values // 4))]
    width = rng.choice((4, 1, 3, 5, rng.randint(1, 40)))
    return [[_number(rng) for _ in range(width)] for _ in range(rng.randint(0, values // width))]


def _csv(rng: random.Random) -> bytes:
    quote = rng.choice(("", "", '"'))
    lines = [",".join(f"{quote}{value}{quote}" for value in row) for row in _table(rng)]
    return rng.choice(("\n", "\r\n", "\r")).join(lines).encode() + rng.choice((b"", b"\n"))


def _json(rng: random.Random) -> bytes:
    table: object = _table(rng)
    shape = rng.randrange(6)
    if shape == 0:
        table = {"instances": table}
    elif shape == 1:
        table = {"instances": [{"features": row} for row in _table(rng)]}
    elif shape == 2:
        table = _nested(rng, 5)
    return json.dumps(table, indent=rng.choice((None, 1))).encode()


def _nested(rng: random.Random, depth: int) -> object:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice((None, True, "text", "", 1, 1.5, [], {}))
    inside = [_nested(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    return inside if rng.random() < 0.5 else {rng.choice("abc") * index: one for index, one in enumerate(inside)}


def _json_lines(rng: random.Random) -> bytes:
    rows: list[object] = list(_table(rng))
    if rng.random() < 0.3:
        rows = [{"features": row} if rng.random() < 0.9 else row for row in rows]
    return b"\n".join(json.dumps(row).encode() for row in rows)


def _npy(rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        stream = io.BytesIO()
        shape = (rng.randint(1, 50), rng.choice((4, 4, 5)))
        np.save(stream, rng.choice((1, 8)) * np.ones(shape, rng.choice(("f8", "f4"))))
        return stream.getvalue()
    shape = tuple(rng.choice((0, 1, 4, 30)) for _ in range(rng.randint(0, 4)))
    kinds = ("f8", "f4", "f2", "i8", "u1", ">f8", "?", "c16", "S3", "U2", "M8[s]", "V5", [("a", "f8"), ("b", "i4")])
    array = np.zeros(shape, np.dtype(rng.choice(kinds)))
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asfortranarray(array), version=rng.choice(((1, 0), (2, 0), (3, 0))))
    content = stream.getvalue()
    if rng.random() < 0.3:
        content = content.replace(b"(0,", b"(%d," % 10 ** rng.randint(1, 30)).replace(b"'|b1'", b"'|O'")
    return content


def _parquet(rng: random.Random) -> bytes:
    import pyarrow
    from pyarrow import parquet

    rows, width = rng.choice((0, 1, 50)), rng.choice((4, 4, 1, 60))
    clean = rng.random() < 0.5
    columns = {f"c{index}": _column(rng, rows, clean=clean) for index in range(width)}
    stream = io.BytesIO()
    compression = rng.choice(("none", "snappy", "gzip", "zstd"))
    parquet.write_table(
        pyarrow.table(columns), stream, compression=compression, use_dictionary=rng.random() < 0.5, row_group_size=20
    )
    return stream.getvalue()


def _column(rng: random.Random, rows: int, *, clean: bool) -> object:
    import pyarrow

    kinds: tuple[Callable[[], object], ...] = (
        lambda: rng.random(),
        lambda: rng.randint(-9, 9),
        lambda: "text",
        lambda: None,
        lambda: [1.0, 2.0],
        lambda: {"a": 1},
        lambda: b"\xff",
        lambda: True,
    )
    kind = kinds[0] if clean or rng.random() < 0.7 else rng.choice(kinds)
    return pyarrow.array([kind() for _ in range(rows)])


def _zeros_of_parquet(rng: random.Random) -> bytes:
    """Megabytes of one value, which pack to some hundred bytes."""
    import pyarrow
    from pyarrow import parquet

    rows = rng.choice((100_000, 5_000_000))
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table({f"c{index}": np.zeros(rows) for index in range(4)}), stream, compression="zstd")
    return stream.getvalue()


def _long(rng: random.Random) -> bytes:
    """As long as a body may be, of few bytes again and again."""
    unit = rng.choice(_UNITS)
    content = unit * (MOST // len(unit))
    return rng.choice((b"", b"[", b'{"instances":[')) + content[: MOST - 20]


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 7, 400, 70_000)))


FORMATS: dict[str, Make] = {
    "text/csv": _csv,
    "application/json": _json,
    "application/jsonlines": _json_lines,
    "application/x-npy": _npy,
    "application/x-parquet": _parquet,
}
RARE: tuple[Make, ...] = (_long, _noise, _zeros_of_parquet)


def mutated(rng: random.Random, body: bytes) -> bytes:
    """Change some places of a body."""
    changed = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, to = sorted(rng.randint(0, len(changed)) for _ in range(2))
        match rng.randrange(6):
            case 0:
                changed[at:at] = rng.choice(TOKENS)
            case 1 if changed:
                changed[at % len(changed)] ^= 1 << rng.randrange(8)
            case 2:
                del changed[at:to]
            case 3:
                changed[at:at] = changed[at:to] * rng.choice((1, 2, 50))
            case 4:
                del changed[at:]
            case _:
                changed[at:to] = rng.choice(TOKENS) * rng.choice((1, 1, 30))
    return bytes(changed[:MOST])


def packed(rng: random.Random, body: bytes) -> bytes:
    """Pack with gzip, sometimes twice, sometimes broken, sometimes a bomb."""
    if rng.random() < 0.1:
        body = bytes([rng.choice(b"01,\n[")]) * 50_000_000
    content = gzip.compress(body, 1, mtime=0)
    if rng.random() < 0.1:
        content += content
    return mutated(rng, content) if rng.random() < 0.3 else content[:MOST]
