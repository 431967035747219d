"""The objects of a git repository, as git writes and names them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE_MODES = {"NORMAL": 0o100644, "EXECUTABLE": 0o100755, "SYMLINK": 0o120000}

Objects = dict[str, bytes]
"""Objects by id, each with its header."""


@dataclass(frozen=True)
class File:
    """A file in a tree; `mode` is NORMAL, EXECUTABLE or SYMLINK."""

    content: bytes
    mode: str

    @property
    def blob_id(self) -> str:
        """The id that git gives to the content."""
        return add({}, "blob", self.content)


def add(objects: Objects, kind: str, content: bytes) -> str:
    """Add an object; return its id."""
    whole = b"%s %d\0" % (kind.encode(), len(content)) + content
    name = hashlib.sha1(whole).hexdigest()
    objects[name] = whole
    return name


def add_tree(objects: Objects, files: Mapping[str, File]) -> str:
    """Add the files and folders of a tree; return its id."""
    folders: dict[str, dict[str, File]] = {}
    entries: list[tuple[bytes, bytes, str]] = []
    for path, file in files.items():
        first, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(first, {})[rest] = file
        else:
            entries.append((first.encode(), b"%o" % FILE_MODES[file.mode], add(objects, "blob", file.content)))
    # git sorts a folder as if its name ended in a slash.
    entries.extend((name.encode() + b"/", b"40000", add_tree(objects, inside)) for name, inside in folders.items())
    lines = [b"%s %s\0" % (mode, name.rstrip(b"/")) + bytes.fromhex(one) for name, mode, one in sorted(entries)]
    return add(objects, "tree", b"".join(lines))


def add_commit(objects: Objects, tree: str, parents: Iterable[str], person: tuple[str, str, int], message: str) -> str:
    """Add a commit of a tree; return its id. The person is a name, an address and the time in seconds since 1970."""
    name, address, seconds = person
    signed = f"{_plain(name)} <{_plain(address)}> {seconds} +0000"
    lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {signed}", f"committer {signed}", ""]
    return add(objects, "commit", "\n".join([*lines, message]).encode())


def _plain(text: str) -> str:
    return "".join(character for character in text if character not in "<>\n\0").strip()
