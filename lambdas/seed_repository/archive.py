"""The files of a zip archive, which is treated as untrusted input."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from handler_kit.errors import ConfigurationError

MAX_FILES = 2000
MAX_FILE_BYTES = 6 * 1024 * 1024
MAX_TOTAL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class File:
    """One file of the repository."""

    path: str
    content: bytes
    executable: bool


def read_archive(content: bytes, place: str) -> list[File]:
    """Every file, sorted by path. Raises ConfigurationError that names the archive and the entry."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check(entries, place)
            return sorted((_read(archive, entry, place) for entry in entries), key=lambda file: file.path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ConfigurationError(f"{place}: not a readable zip file ({error}); create it again") from None


def _check(entries: list[zipfile.ZipInfo], place: str) -> None:
    if not entries:
        raise ConfigurationError(f"{place}: the zip file contains no files")
    if len(entries) > MAX_FILES:
        raise ConfigurationError(f"{place}: {len(entries)} files; at most {MAX_FILES} can be seeded")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise ConfigurationError(f"{place}: unpacks to more than {MAX_TOTAL_BYTES} bytes; leave data files out")
    seen: set[str] = set()
    for entry in entries:
        if problem := _problem(entry):
            raise ConfigurationError(f"{place}: {entry.filename!r} {problem}")
        if entry.filename in seen:
            raise ConfigurationError(f"{place}: {entry.filename!r} is in the zip file twice")
        seen.add(entry.filename)


def _problem(entry: zipfile.ZipInfo) -> str | None:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in path.parts[0]:
        return "is not a path inside the repository"
    if ".git" in path.parts:
        return "belongs to git itself"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a symbolic link; replace it with the file itself"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if entry.file_size > MAX_FILE_BYTES:
        return f"has {entry.file_size} bytes; CodeCommit accepts at most {MAX_FILE_BYTES}"
    return None


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: str) -> File:
    # The size in the archive's directory may be wrong; never unpack more than this size.
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ConfigurationError(f"{place}: {entry.filename!r} has another size than the zip file says")
    mode = entry.external_attr >> 16
    return File(str(PurePosixPath(entry.filename)), content, bool(mode & stat.S_IXUSR))
