"""One pass over an object: its lines within a budget of bytes, and the SHA-256 of the whole, in bounded memory."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LINE_BYTES = 1024 * 1024
_MARK = b"\xef\xbb\xbf"


class Content:
    """An object's bytes, which are read once and not kept.

    Attributes:
        place: The name of the object in messages.
        size: Its size in bytes.
        budget: The maximum number of bytes that ``lines`` reads.
    """

    def __init__(self, chunks: Iterable[bytes], size: int, place: str, budget: int) -> None:
        self.place, self.size, self.budget = place, size, budget
        self._chunks = iter(chunks)
        self._hash = hashlib.sha256()

    @property
    def truncated(self) -> bool:
        """Whether the object has more bytes than ``lines`` reads."""
        return self.size > self.budget

    def lines(self) -> Iterator[str]:
        """The decoded lines with their line ends, without the last line when the budget cuts it.

        Raises ConfigurationError that names the object, the line and the column.
        """
        number, rest, left = 0, b"", self.budget
        for chunk in self._read():
            rest += chunk[:left]
            left -= len(chunk[:left])
            *whole, rest = rest.split(b"\n")
            for line in whole:
                number += 1
                yield self._decode(line + b"\n", number)
            if len(rest) > MAX_LINE_BYTES:
                raise self._too_long(number + 1)
            if left <= 0:
                break
        if rest and not self.truncated:
            yield self._decode(rest, number + 1)
        if self.truncated and number == 0:
            raise self._too_long(1)

    def sha256(self) -> str:
        """The digest of the whole object; it reads the bytes that ``lines`` has not read."""
        for _ in self._read():
            pass
        return self._hash.hexdigest()

    def _read(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            yield chunk

    def _too_long(self, line: int) -> ConfigurationError:
        longest = min(MAX_LINE_BYTES, self.budget)
        return ConfigurationError(f"{self.place}, line {line}: longer than {longest} bytes; is this a text file?")

    def _decode(self, line: bytes, number: int) -> str:
        start = len(_MARK) if number == 1 and line.startswith(_MARK) else 0
        if (nul := line.find(b"\0")) >= 0:
            where = _position(line, nul, number)
            raise ConfigurationError(f"{self.place}, {where}: a NUL byte; is this a text file in UTF-8?")
        try:
            return line[start:].decode()
        except UnicodeDecodeError as error:
            offset = start + error.start
            raise ConfigurationError(
                f"{self.place}, {_position(line, offset, number)}: byte 0x{line[offset]:02x} is not UTF-8;"
                " save the file as UTF-8"
            ) from None


def _position(line: bytes, offset: int, number: int) -> str:
    return f"line {number}, column {line.count(b',', 0, offset) + 1}"
