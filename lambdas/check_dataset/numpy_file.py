"""The rows of a NumPy file (``.npy``) that contains a table: numbers or texts in two dimensions.

The format is https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Nothing is unpickled.
"""

from __future__ import annotations

import ast
import math
import re
import struct
from typing import TYPE_CHECKING, Any

from check_dataset.content import MAX_LINE_BYTES
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_dataset.content import Content

_MAGIC = b"\x93NUMPY"
# As numpy.load.
_MAX_HEADER_BYTES = 10_000
# In the order of Fortran the last cell of the first row is near the end of the file.
MAX_FORTRAN_BYTES = 64 * 1024 * 1024
_KIND = re.compile(r"([<>|=]?)([a-zA-Z])([0-9]{0,9})")
_CODES = {
    **{"b1": "?", "f2": "e", "f4": "f", "f8": "d"},
    **{"i1": "b", "i2": "h", "i4": "i", "i8": "q"},
    **{"u1": "B", "u2": "H", "u4": "I", "u8": "Q"},
}


class NumpyFile:
    """The array that a file contains.

    Attributes:
        is_text: Whether its cells are texts.
    """

    def __init__(self, content: Content) -> None:
        """Read the header. Raises ConfigurationError when it is not a NumPy file, or must be unpickled."""
        self._content, self._pieces, self._bytes = content, content.pieces(), b""
        header = self._header()
        try:
            described = ast.literal_eval(header.decode("latin-1").strip())
            descr, self._by_column = described["descr"], described["fortran_order"] is True
            self._shape = described["shape"]
            if not isinstance(self._shape, tuple) or not all(type(one) is int and one >= 0 for one in self._shape):
                raise ValueError("no shape")
        except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
            raise self._wrong("not a NumPy file, because its header has no shape and type; save it again") from None
        if re.search(r"\|O", str(descr)):
            raise self._wrong("contains Python objects, which can run code when they are read; save numbers or texts")
        found = _KIND.fullmatch(descr) if isinstance(descr, str) else None
        self._order = ">" if found is not None and found[1] == ">" else "<"
        self._code = _CODES.get(found[2] + found[3], "") if found is not None else ""
        self.is_text = found is not None and found[2] == "U" and found[3] not in ("", "0")
        if self.is_text:
            assert found is not None
            self._code = f"{4 * int(found[3])}s"
        self._cell_bytes = int(self._code[:-1]) if self.is_text else struct.calcsize(f"<{self._code}")

    def is_table(self) -> bool:
        """Whether rows can be inspected; other arrays are left to the algorithm."""
        if len(self._shape) != 2 or not self._shape[1] or not self._code:
            return False
        if self._by_column:
            return math.prod(self._shape) * self._cell_bytes <= min(MAX_FORTRAN_BYTES, self._content.budget)
        return self._shape[1] * self._cell_bytes <= MAX_LINE_BYTES

    @property
    def width(self) -> int:
        """Number of columns."""
        return self._shape[1]

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """The number of each row, and its cells. Raises ConfigurationError when the file is incomplete."""
        number = 0
        for row in self._by_columns() if self._by_column else self._by_rows():
            number += 1
            yield number, [self._text(number, cell) for cell in row] if self.is_text else list(row)
        if number < self._shape[0] and not self._content.truncated:
            raise self._wrong(f"incomplete: {number} of {self._shape[0]} rows; save and upload it again")

    def _by_rows(self) -> Iterator[tuple[Any, ...]]:
        rows, width = self._shape
        size = width * self._cell_bytes
        left, form = rows, struct.Struct(f"{self._order}{self._code * width}")
        while left and size:
            if len(self._bytes) < size and not self._more():
                return
            whole = min(len(self._bytes) // size, left)
            yield from form.iter_unpack(self._bytes[: whole * size])
            self._bytes, left = self._bytes[whole * size :], left - whole

    def _by_columns(self) -> Iterator[tuple[Any, ...]]:
        rows, width = self._shape
        size = rows * self._cell_bytes
        while len(self._bytes) < size * width:
            if not self._more():
                return
        view, form = memoryview(self._bytes), struct.Struct(f"{self._order}{self._code}")
        columns = [form.iter_unpack(view[index * size : (index + 1) * size]) for index in range(width)]
        for cells in zip(*columns, strict=True):
            yield tuple(cell for (cell,) in cells)

    def _text(self, number: int, cell: bytes) -> str:
        try:
            text = cell.decode("utf-32-be" if self._order == ">" else "utf-32-le").rstrip("\0")
        except UnicodeDecodeError:
            raise self._wrong(f"record {number}: not Unicode text; save it again") from None
        if "\0" in text:
            raise self._wrong(f"record {number}: a NUL character in a text")
        return text

    def _header(self) -> bytes:
        start = self._take(8)
        size = 2 if start[6:7] == b"\1" else 4
        length = int.from_bytes(self._take(size), "little")
        if start[:6] != _MAGIC or start[6:7] not in (b"\1", b"\2", b"\3") or length > _MAX_HEADER_BYTES:
            raise self._wrong("not a NumPy file; save it with numpy.save")
        header = self._take(length)
        if len(header) < length:
            raise self._wrong("incomplete: the header ends too early; save and upload it again")
        return header

    def _take(self, count: int) -> bytes:
        while len(self._bytes) < count and self._more():
            pass
        taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._bytes += piece
        return bool(piece)

    def _wrong(self, problem: str) -> ConfigurationError:
        return ConfigurationError(f"{self._content.place}: {problem}")
