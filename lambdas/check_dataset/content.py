"""One pass over an object: its lines within a budget of bytes, and the SHA-256 of the whole, in bounded memory."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from check_dataset.unpack import unpacked
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LINE_BYTES = 1024 * 1024
ENDS_BYTES = 8
_MARK = b"\xef\xbb\xbf"


class Content:
    """An object's bytes, which are read once and not kept.

    Attributes:
        place: The name of the object in messages.
        budget: The maximum number of bytes that ``pieces`` and ``lines`` read, after unpacking.
        truncated: Whether the object has more bytes than the budget; known after the last of them.
        size: How many bytes were read, after unpacking.
        first: The first bytes, at most ``ENDS_BYTES``.
        last: The last bytes so far, at most ``ENDS_BYTES``.
    """

    def __init__(self, chunks: Iterable[bytes], place: str, budget: int, max_unpacked_bytes: int | None = None) -> None:
        """With ``max_unpacked_bytes``, the object is a gzip file that must not unpack to more."""
        self.place, self.budget, self.truncated, self.size = place, budget, False, 0
        self.first, self.last = b"", b""
        self._hash = hashlib.sha256()
        hashed = self._hashed(chunks)
        self._pieces = hashed if max_unpacked_bytes is None else unpacked(hashed, place, max_unpacked_bytes)

    def pieces(self) -> Iterator[bytes]:
        """The bytes within the budget."""
        left = self.budget
        for piece in self._read():
            self.truncated = len(piece) > left
            if piece[:left]:
                yield piece[:left]
            if self.truncated:
                return
            left -= len(piece)

    def lines(self, separator: str | None = ",") -> Iterator[str]:
        """The decoded lines with their line ends, without the last line when the budget cuts it.

        Raises ConfigurationError that names the object, the line, and, with a separator, the column.
        """
        number, rest = 0, b""
        for piece in self.pieces():
            rest += piece
            *whole, rest = rest.split(b"\n")
            for line in whole:
                number += 1
                yield self._decode(line + b"\n", number, separator)
            if len(rest) > MAX_LINE_BYTES:
                raise self._too_long(number + 1)
        if rest and not self.truncated:
            yield self._decode(rest, number + 1, separator)
        if self.truncated and number == 0:
            raise self._too_long(1)

    def sha256(self) -> str:
        """The digest of the whole object as it is stored; it reads the bytes that ``lines`` has not read."""
        for _ in self._read():
            pass
        return self._hash.hexdigest()

    def _read(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            self.first = (self.first + piece[:ENDS_BYTES])[:ENDS_BYTES]
            self.last = (self.last + piece[-ENDS_BYTES:])[-ENDS_BYTES:]
            yield piece

    def _hashed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._hash.update(chunk)
            yield chunk

    def _too_long(self, line: int) -> ConfigurationError:
        longest = min(MAX_LINE_BYTES, self.budget)
        return ConfigurationError(f"{self.place}, line {line}: longer than {longest} bytes; is this a text file?")

    def _decode(self, line: bytes, number: int, separator: str | None) -> str:
        if len(line) > MAX_LINE_BYTES:
            raise self._too_long(number)
        start = len(_MARK) if number == 1 and line.startswith(_MARK) else 0
        if (nul := line.find(b"\0")) >= 0:
            where = _position(line, nul, number, separator)
            raise ConfigurationError(f"{self.place}, {where}: a NUL byte; is this a text file in UTF-8?")
        try:
            return line[start:].decode()
        except UnicodeDecodeError as error:
            offset = start + error.start
            raise ConfigurationError(
                f"{self.place}, {_position(line, offset, number, separator)}: byte 0x{line[offset]:02x} is not UTF-8;"
                " save the file as UTF-8"
            ) from None


def _position(line: bytes, offset: int, number: int, separator: str | None) -> str:
    if separator is None:
        return f"line {number}"
    return f"line {number}, column {line.count(separator.encode(), 0, offset) + 1}"
