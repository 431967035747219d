"""The small part of git that CodeCommit needs: commits of whole trees, kept in memory or read from what was pushed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from mlops_constructs.local_aws.codecommit.objects import FILE_MODES, File, Objects, add_commit, add_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# the oldest time that a zip can store; a constant, so that archives of the same commit have the same bytes
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Commit:
    """A tree (files by path), with its parents, author and message.

    `pushed_id` is the id of a commit that was pushed: it can have parts that are not kept here, such as a signature.
    """

    files: Mapping[str, File]
    parents: tuple[str, ...]
    author: str
    email: str
    message: str
    time: datetime
    pushed_id: str = ""

    @cached_property
    def tree_id(self) -> str:
        """The id that git gives to all files."""
        return add_tree({}, self.files)

    @cached_property
    def id(self) -> str:
        """The id that git gives to the commit."""
        return self.pushed_id or self._add_to({})

    def objects(self) -> Objects:
        """The commit, its folders and its files as git stores them."""
        objects: Objects = {}
        self._add_to(objects)
        return objects

    def _add_to(self, objects: Objects) -> str:
        person = (self.author, self.email, int(self.time.timestamp()))
        return add_commit(objects, add_tree(objects, self.files), self.parents, person, self.message)

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


class Pushed(Protocol):
    """Where the commits are that were pushed."""

    def read(self, commit_id: str) -> Commit | None:
        """A commit, or None when it is not there."""


@dataclass
class History:
    """The commits and branches of one repository."""

    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pushed: Pushed | None = None

    @property
    def default_branch(self) -> str | None:
        """The branch of the first commit."""
        return next(iter(self.branches), None)

    def commit(self, commit_id: str) -> Commit | None:
        """A commit, or None."""
        found = self.commits.get(commit_id)
        if found is None and self.pushed is not None:
            found = self.pushed.read(commit_id)
            if found is not None:
                self.commits[commit_id] = found
        return found
