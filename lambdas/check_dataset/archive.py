"""A small, untrusted zip file: no file is written to disk, and the sizes in its headers are not trusted."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ARCHIVE_BYTES = 1024 * 1024
MAX_ENTRIES = 100
MAX_FILE_BYTES = 1024 * 1024
MAX_RATIO = 200

_ENCRYPTED = 0x1
# Files that macOS and Windows add next to a person's files.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def read_archive(body: bytes, place: str) -> dict[str, bytes]:
    """Read all files of a zip. Raises ConfigurationError with the place and the reason."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = list(_checked(archive))
            if not entries:
                raise ValueError("it has no files")
            return {entry.filename: _read(archive, entry) for entry in entries}
    except zipfile.BadZipFile as error:
        raise ConfigurationError(f"{place}: not a complete zip file ({error}); create and upload it again") from None
    except (ValueError, NotImplementedError, zlib.error, EOFError, OSError) as error:
        raise ConfigurationError(f"{place}: refused: {error}") from None


def _checked(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ValueError(f"{len(entries)} entries; at most {MAX_ENTRIES} are read")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        # ZipInfo cuts a name at a NUL and turns the system's separators into slashes.
        if name != entry.orig_filename or _leads_out(name):
            raise ValueError(f"{entry.orig_filename!r} is not a plain relative path")
        if name in seen:
            raise ValueError(f"two entries are named {name!r}")
        seen.add(name)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ValueError(f"{name!r} is a symbolic link")
        if entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name!r} is encrypted; zip it without a password")
        if not entry.is_dir() and not name.startswith(_LITTER) and not name.endswith(_LITTER):
            yield entry


def _leads_out(name: str) -> bool:
    parts = name.rstrip("/").split("/")
    return name.startswith("/") or "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"{entry.filename!r} unpacks to more than {MAX_FILE_BYTES} bytes")
        # zipfile compares the checksum only at the end of the file.
        stream.read(1)
    if len(content) > 65_536 and len(content) > MAX_RATIO * max(entry.compress_size, 1):
        raise ValueError(f"{entry.filename!r} unpacks to more than {MAX_RATIO} times its compressed size")
    return content
