"""The file of a snapshot: what it was written by, a checksum, and the snapshot itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBRARY = __name__.partition(".")[0].replace("_", "-")
_MAGIC = b"local AWS snapshot 1\n"
_ROOM = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Writer:
    """The code that writes a snapshot; other code cannot read it.

    Attributes:
        library: Version of the library that contains this package.
        code: Digest of the modules of the local AWS.
        moto: Version of moto.
        python: Version of Python.
    """

    library: str
    code: str
    moto: str
    python: str

    def __str__(self) -> str:
        return f"{_LIBRARY} {self.library} ({self.code[:7]}), moto {self.moto}, Python {self.python}"


def write(file: Path, snapshot: bytes, about: Mapping[str, Any]) -> None:
    """Write a snapshot, so that the file is the old one or the new one whenever this process ends.

    Args:
        file: Where.
        snapshot: What `LocalAws.snapshot` has returned.
        about: What a reader is told beside it.
    """
    head = {"writer": asdict(this_code()), "sha256": hashlib.sha256(snapshot).hexdigest(), "about": dict(about)}
    new = file.with_name(f"{file.name}.new")
    new.touch(0o600)
    with new.open("wb") as stream:
        stream.write(_MAGIC + json.dumps(head).encode() + b"\n" + snapshot)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


def read_about(file: Path) -> dict[str, Any]:
    """Return what was written beside a snapshot.

    Raises:
        LocalAwsError: when the file is damaged.
    """
    return dict(_read_head(file)[0]["about"])


def read(file: Path) -> bytes:
    """Return the snapshot.

    Raises:
        LocalAwsError: when the file is damaged, or was written by other code.
    """
    head, snapshot = _read_head(file)
    writer = None
    with contextlib.suppress(TypeError):
        writer = Writer(**head["writer"])
    if writer != this_code():
        raise LocalAwsError(f"{file} was written by {writer or 'another version'}, and this is {this_code()}")
    if hashlib.sha256(snapshot).hexdigest() != head["sha256"]:
        raise LocalAwsError(f"{file} is damaged: its checksum is wrong")
    if file.stat().st_uid != os.getuid():
        raise LocalAwsError(f"{file} belongs to another user")
    return snapshot


@cache
def this_code() -> Writer:
    """Return what this process would write."""
    digest = hashlib.sha256()
    for module in sorted(_ROOM.rglob("*.py")):
        digest.update(module.relative_to(_ROOM).as_posix().encode() + b"\0" + module.read_bytes())
    return Writer(_version(_LIBRARY), digest.hexdigest(), _version("moto"), platform.python_version())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _read_head(file: Path) -> tuple[dict[str, Any], bytes]:
    head, _, snapshot = file.read_bytes().removeprefix(_MAGIC).partition(b"\n")
    try:
        found = json.loads(head)
        return {name: found[name] for name in ("writer", "sha256", "about")}, snapshot
    except (ValueError, KeyError, TypeError):
        raise LocalAwsError(f"{file} is damaged, or not a snapshot of a local AWS") from None
