"""The small part of git that CodeCommit needs: commits of whole trees, kept in memory."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FILE_MODES = {"NORMAL": 0o100644, "EXECUTABLE": 0o100755, "SYMLINK": 0o120000}
# the oldest time that a zip can store; a constant, so that archives of the same commit have the same bytes
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class File:
    """A file in a tree; `mode` is NORMAL, EXECUTABLE or SYMLINK."""

    content: bytes
    mode: str

    @property
    def blob_id(self) -> str:
        """The id that git gives to the content."""
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()


@dataclass(frozen=True)
class Commit:
    """A tree (files by path), with its parents, author and message."""

    files: Mapping[str, File]
    parents: tuple[str, ...]
    author: str
    email: str
    message: str
    time: datetime

    @property
    def tree_id(self) -> str:
        """An id of all files; unlike git's, it is not nested by folder."""
        lines = [f"{path}\0{file.mode}\0{file.blob_id}" for path, file in sorted(self.files.items())]
        return _sha1("\n".join(lines))

    @property
    def id(self) -> str:
        """An id of the tree and its history."""
        facts = [self.tree_id, *self.parents, self.author, self.email, self.message, self.time.isoformat()]
        return _sha1("\n".join(facts))

    def archive(self) -> bytes:
        """The files as a zip, which keeps executable bits and symbolic links."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, file in sorted(self.files.items()):
                entry = zipfile.ZipInfo(path, _ZIP_TIME)
                entry.external_attr = FILE_MODES[file.mode] << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.content)
        return buffer.getvalue()


@dataclass
class History:
    """The commits and branches of one repository."""

    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    @property
    def default_branch(self) -> str | None:
        """The branch of the first commit."""
        return next(iter(self.branches), None)


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()
