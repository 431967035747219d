"""Unpack gzip in bounded memory: a file may unpack to 1,000 times its size, and the sizes in it are not trusted."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE_BYTES = 1024 * 1024
# Deflate packs at most 1,032 to 1, text usually 3 to 20. Below the free size, any ratio is harmless.
MAX_RATIO = 200
FREE_BYTES = 64 * 1024 * 1024

_GZIP = 31


def unpacked(chunks: Iterable[bytes], place: str, max_bytes: int) -> Iterator[bytes]:
    """The content of a gzip file with one or several members, piece by piece.

    Raises ConfigurationError when it is incomplete, or unpacks to more than ``max_bytes`` or ``MAX_RATIO`` allow.
    """
    total = 0
    for packed, piece in _pieces(chunks, place):
        total += len(piece)
        if total > max_bytes:
            raise ConfigurationError(
                f"{place}: unpacks to more bytes than the limit leaves for it, {max_bytes}. Increase"
                " Dataset(max_megabytes=...), or upload less"
            )
        if total > FREE_BYTES and total > MAX_RATIO * packed:
            raise ConfigurationError(
                f"{place}: unpacks to more than {MAX_RATIO} times its size; upload it without gzip"
            )
        yield piece


def _pieces(chunks: Iterable[bytes], place: str) -> Iterator[tuple[int, bytes]]:
    """Each piece, with the number of packed bytes up to its end."""
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
                piece = inflater.decompress(rest, PIECE_BYTES)
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                yield packed - len(rest), piece
                while len(piece) == PIECE_BYTES and not rest and not inflater.eof:
                    # It may have consumed all bytes and still hold back what they unpack to.
                    piece = inflater.decompress(b"", PIECE_BYTES)
                    yield packed, piece
    except zlib.error as error:
        raise ConfigurationError(f"{place}: not a gzip file ({error}); pack and upload it again") from None
    if not inflater.eof:
        raise ConfigurationError(f"{place}: the gzip file is incomplete; pack and upload it again")
