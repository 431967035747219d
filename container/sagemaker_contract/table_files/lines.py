"""The lines of a text file, packed with gzip or not, in bounded memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sagemaker_contract.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_LINE_BYTES = 1024 * 1024
# Deflate packs at most 1,032 to 1, text usually 3 to 20. Below the free size, any ratio is harmless.
MAX_RATIO = 200
FREE_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_GZIP = 31
_MARK = b"\xef\xbb\xbf"


def read_lines(file: Path) -> Iterator[tuple[str, str]]:
    """Each line with its place; only LF ends a line, and a byte order mark is left out.

    Raises:
        DataError: For a line that is too long, or not UTF-8.
    """
    for number, line in enumerate(_lines(file), start=1):
        place = f"{file.name} line {number}"
        if len(line) > MAX_LINE_BYTES:
            raise DataError(f"{place}: longer than {MAX_LINE_BYTES} bytes; is this a text file?")
        if b"\0" in line:
            raise DataError(f"{place}: a NUL byte; is this a text file in UTF-8?")
        try:
            yield place, (line.removeprefix(_MARK) if number == 1 else line).decode()
        except UnicodeDecodeError:
            raise DataError(f"{place}: not UTF-8 text; save the file as UTF-8") from None


def _lines(file: Path) -> Iterator[bytes]:
    rest = b""
    for piece in read_pieces(file):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > MAX_LINE_BYTES:
            break
    if rest:
        yield rest


def read_pieces(file: Path) -> Iterator[bytes]:
    """The content of a file, packed with gzip or not.

    Raises:
        DataError: For a gzip file that is incomplete, or unpacks to too much.
    """
    with file.open("rb") as stream:
        chunks = iter(lambda: stream.read(_CHUNK_BYTES), b"")
        yield from _unpacked(chunks, file.name) if file.suffix.lower() == ".gz" else chunks


def _unpacked(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    total = 0
    for packed, piece in _pieces(chunks, name):
        total += len(piece)
        if total > FREE_BYTES and total > MAX_RATIO * packed:
            raise DataError(f"{name} unpacks to more than {MAX_RATIO} times its size; store it without gzip")
        yield piece


def _pieces(chunks: Iterable[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """The content of a gzip file piece by piece, each with the number of packed bytes up to its end."""
    inflater, packed = zlib.decompressobj(_GZIP), 0
    try:
        for chunk in chunks:
            packed += len(chunk)
            rest = chunk
            while rest:
                if inflater.eof:
                    # The next member; as gzip does, zeros between members and at the end are skipped.
                    rest = rest.lstrip(b"\0")
                    inflater = zlib.decompressobj(_GZIP) if rest else inflater
                    continue
                piece = inflater.decompress(rest, _CHUNK_BYTES)
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                yield packed - len(rest), piece
                while len(piece) == _CHUNK_BYTES and not rest and not inflater.eof:
                    # It may have consumed all bytes and still hold back what they unpack to.
                    piece = inflater.decompress(b"", _CHUNK_BYTES)
                    yield packed, piece
    except zlib.error as error:
        raise DataError(f"{name} is not a gzip file ({error}); pack it again") from None
    if not inflater.eof:
        raise DataError(f"{name} is an incomplete gzip file; pack it again")
