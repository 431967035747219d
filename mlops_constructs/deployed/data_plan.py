"""The keys that the files of a data set get in the bucket, and the manifest that names them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .data_files import checked_channels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .data_files import DataFile

# CheckDataset copies each object with one CopyObject call, which is limited to 5 GiB.
_LARGEST = 5 * 1024**3
# As lambdas/check_dataset/manifest.py.
MAX_OBJECTS = 10_000
OBJECTS_FOLDER = "data/"
# CodePipeline inserts the key of an upload into JSON text, which these characters would break.
_UNCARRIED = re.compile(r'["\\\x00-\x1f\x7f]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class DatasetObject:
    """An object that a manifest names.

    Attributes:
        content: A file, or the bytes themselves.
        key: Key in the data bucket.
        channel: Channel that it belongs to, or None for ``golden`` and ``contract``.
        field: ``golden`` or ``contract``, or None for the object of a channel.
        prefix: Beginning of the key that training does not see, or None for the folder that a channel's keys share.
    """

    content: Path | bytes
    key: str
    channel: str | None = None
    field: str | None = None
    prefix: str | None = None


def check_upload(path: Path) -> None:
    """Refuse a file that cannot start a pipeline. Raises MlopsError."""
    check_name(path.name)
    check_files([path])


def check_name(name: str) -> None:
    """Refuse the name of a data set that CodePipeline cannot pass on. Raises MlopsError."""
    if not name:
        raise MlopsError("the data set has no name; give one with --name")
    if _UNCARRIED.search(name):
        raise MlopsError(
            f"{name!r} contains a quote, a backslash or a control character, which CodePipeline cannot pass"
            " on: rename the file"
        )


def check_files(paths: Sequence[Path]) -> None:
    """Refuse files that cannot be uploaded. Raises MlopsError, naming the first that is missing, empty or too large."""
    for path in paths:
        if not path.is_file():
            raise MlopsError(f"{path} is not a file" if path.exists() else f"the file {path} does not exist")
        if not os.access(path, os.R_OK):
            raise MlopsError(f"{path} cannot be read; change its permissions")
        size = path.stat().st_size
        if size == 0:
            raise MlopsError(f"{path} is empty, and an empty object starts nothing")
        if size > _LARGEST:
            raise MlopsError(f"{path} has {size} bytes; an object may have {_LARGEST}: split it into several files")


def plan_set(
    name: str,
    channels: Mapping[str, Sequence[Path | DataFile]],
    *,
    golden: Path | None = None,
    contract: Path | None = None,
    folder: str = OBJECTS_FOLDER,
) -> list[DatasetObject]:
    """Assign a key to each file of a data set; arguments as in ``upload_set``.

    Raises:
        MlopsError: when the files are not a data set.
    """
    check_name(name)
    extras = {field: path for field, path in (("golden", golden), ("contract", contract)) if path is not None}
    if "train" not in channels:
        only = f", only {', '.join(channels)}" if channels else ""
        raise MlopsError(f"there is no channel train{only}; name one with train=PATH")
    place = f"{folder}{name}/"
    objects = [
        one
        for channel, files in checked_channels(channels).items()
        for one in _objects(f"{place}{channel}/", channel, files)
    ]
    check_files([one.content for one in objects if isinstance(one.content, Path)])
    check_files(list(extras.values()))
    if len(objects) > MAX_OBJECTS:
        raise MlopsError(f"{len(objects)} files; a data set may have {MAX_OBJECTS}: pack small files into archives")
    return objects + [
        DatasetObject(path, f"{place}{field}{path.suffix}", field=field) for field, path in extras.items()
    ]


def _objects(prefix: str, channel: str, files: Sequence[DataFile]) -> list[DatasetObject]:
    names = [file.name for file in files]
    if strange := [name for name in names if _CONTROL.search(name) or not _is_text(name)]:
        raise MlopsError(f"{strange[0]!r} cannot be the name of an object; rename the file")
    # Otherwise the folder that all keys share would not reach training.
    root = prefix if any("/" in name for name in names) else None
    return [DatasetObject(file.path, f"{prefix}{file.name}", channel, prefix=root) for file in files]


def _is_text(name: str) -> bool:
    """Whether the name of a file is UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def manifest_of(objects: Sequence[DatasetObject], versions: Sequence[str]) -> dict[str, Any]:
    """The manifest that names exactly these versions."""
    manifest: dict[str, Any] = {"channels": {}}
    for one, version in zip(objects, versions, strict=True):
        entry = {"key": one.key, "version_id": version}
        if one.field is not None:
            manifest[one.field] = entry
        elif one.prefix is None:
            manifest["channels"].setdefault(one.channel, []).append(entry)
        else:
            channel = manifest["channels"].setdefault(one.channel, {"prefix": one.prefix, "objects": []})
            channel["objects"].append(entry)
    return manifest
