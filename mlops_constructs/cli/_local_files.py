"""Files of this machine in the place of objects, for the code of CheckDataset (the protocol ``Files`` there)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._payload import function_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..deployed.data_files import DataFile

_CHUNK_BYTES = 1024 * 1024


class LocalFiles:
    """Files, whose keys are their paths."""

    def __init__(self) -> None:
        self._source, self._content = function_module("check_dataset.source"), function_module("check_dataset.content")
        self._error = function_module("handler_kit.errors").ConfigurationError

    def entry(self, file: Path | DataFile) -> Any:
        """What a manifest would name."""
        make = function_module("check_dataset.manifest").Entry
        if isinstance(file, Path):
            return make(file.as_posix())
        key = file.path.as_posix()
        return make(key, root=key.removesuffix(file.name))

    def place(self, entry: Any) -> str:
        """The name of a file in messages."""
        return str(entry.key)

    def look_up(self, entry: Any) -> Any:
        """Find a file. Raises ConfigurationError when it is missing, empty or too large."""
        path = Path(entry.key)
        if not path.is_file():
            raise self._error(f"{path}: no such file")
        size = path.stat().st_size
        if size == 0:
            raise self._error(f"{path}: the file is empty (0 bytes)")
        if size > self._source.MAX_COPY_BYTES:
            raise self._error(
                f"{path}: {size} bytes; an object may have at most {self._source.MAX_COPY_BYTES}. Split it"
            )
        return self._source.Pinned(entry, hashlib.sha256(entry.key.encode()).hexdigest(), size)

    def find(self, entry: Any) -> Any:
        """A file that may not exist; None if it does not."""
        return self.look_up(entry) if Path(entry.key).is_file() else None

    def read(self, entry: Any, limit: int, what: str) -> bytes:
        """A small file. Raises ConfigurationError when it has more than ``limit`` bytes."""
        size = self.look_up(entry).size
        if size > limit:
            raise self._error(f"{entry.key}: {size} bytes; a {what} may have at most {limit}")
        return Path(entry.key).read_bytes()

    def read_text(self, entry: Any, limit: int, what: str) -> str:
        """A small file in UTF-8."""
        try:
            return self.read(entry, limit, what).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self._error(f"{entry.key}: a {what} must be UTF-8 text") from None

    def open(self, pinned: Any, budget: int, max_unpacked_bytes: int | None = None) -> Any:
        """The file's bytes, as ``Source.open``."""
        chunks = _chunks(Path(pinned.entry.key))
        return self._content.Content(chunks, self.place(pinned.entry), budget, max_unpacked_bytes)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
