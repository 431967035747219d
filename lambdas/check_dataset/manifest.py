"""The manifest: a JSON object, uploaded last, that names the objects of a data set."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from check_dataset.fields import check_fields, parse_document, text_of
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CHANNELS = 20
# Three requests to S3 for each, eight at once, at 60 ms: about 4 of the function's 15 minutes.
MAX_OBJECTS = 10_000
MAX_MANIFEST_BYTES = 8 * 1024**2
# The key of the pinned copy has at most 1,024 bytes with the execution's folder and the channel.
MAX_NAME_BYTES = 800
MAX_PART_BYTES = 255

_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """One object that a manifest names.

    Attributes:
        key: Its key.
        version_id: Its version; ``None`` means the newest version.
        bucket: Its bucket; ``None`` means the data bucket.
        root: The beginning of the key that training does not see; ``None`` leaves only the file name.
    """

    key: str
    version_id: str | None = None
    bucket: str | None = None
    root: str | None = None

    @property
    def name(self) -> str:
        """The path below the channel's folder that training sees."""
        return self.key.rpartition("/")[2] if self.root is None else self.key.removeprefix(self.root)


@dataclass(frozen=True)
class Manifest:
    """The objects of each channel, and the golden records and the contract when the manifest names them."""

    channels: dict[str, list[Entry]]
    golden: Entry | None = None
    contract: Entry | None = None


def parse_manifest(text: str, place: str) -> Manifest:
    """Read a manifest; ``place`` is its name in messages. Raises ConfigurationError that says what is wrong."""
    value = parse_document(text, place, "manifest")
    try:
        return _manifest(value)
    except ValueError as error:
        raise ConfigurationError(f"{place}: not a valid manifest: {error}") from None


def check_channels(channels: dict[str, list[Entry]]) -> None:
    """Raise ValueError when a channel's name or objects cannot be used for training."""
    if "train" not in channels:
        raise ValueError(f"channels has no train, only {', '.join(sorted(channels))}")
    if len(channels) > MAX_CHANNELS:
        raise ValueError(f"{len(channels)} channels; SageMaker takes at most {MAX_CHANNELS}")
    for name, entries in channels.items():
        if not _CHANNEL.fullmatch(name):
            raise ValueError(f"channel name {name!r}: only letters, digits, '.', '_' and '-', at most 64")
        if problem := _problem_of_names([entry.name for entry in entries]):
            raise ValueError(f"channels.{name} has {problem}")
    if (objects := sum(map(len, channels.values()))) > MAX_OBJECTS:
        raise ValueError(f"{objects} objects; at most {MAX_OBJECTS} can be pinned. Join small files")


def _problem_of_names(names: Sequence[str]) -> str | None:
    """What a file system would not take: SageMaker makes the names folders and files.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html says so of models.
    """
    folders: set[str] = set()
    for name in names:
        *parents, _ = parts = name.split("/")
        if {"", ".", ".."}.intersection(parts) or "\0" in name:
            return f"an object named {name!r}, which cannot be a path; rename it"
        if len(name.encode()) > MAX_NAME_BYTES or any(len(part.encode()) > MAX_PART_BYTES for part in parts):
            longest = f"at most {MAX_NAME_BYTES} bytes, and {MAX_PART_BYTES} between two slashes"
            return f"an object whose name below the channel is too long: {name[:60]!r}...; {longest}"
        folders.update("/".join(parents[:count]) for count in range(1, len(parts)))
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        return f"two objects named {name!r}; rename one"
    if both := folders.intersection(names):
        return f"the object {min(both)!r} and others in a folder of that name; rename one"
    return None


def _manifest(value: Any) -> Manifest:
    check_fields(value, "the manifest", required={"channels"}, optional={"golden", "contract"})
    channels = value["channels"]
    if not isinstance(channels, dict) or not channels:
        raise ValueError("channels must be an object with at least the channel train")
    parsed = {name: _channel(name, entries) for name, entries in channels.items()}
    check_channels(parsed)
    golden = _entry(value["golden"], "golden") if "golden" in value else None
    contract = _entry(value["contract"], "contract") if "contract" in value else None
    return Manifest(parsed, golden, contract)


def _channel(name: str, value: Any) -> list[Entry]:
    """The objects of a channel; training sees their keys without ``prefix``, or without the folder that all share."""
    place, prefix = f"channels.{name}", None
    if isinstance(value, dict):
        check_fields(value, place, required={"prefix", "objects"}, optional=set())
        prefix = text_of(value["prefix"], f"{place}.prefix")
        place, value = f"{place}.objects", value["objects"]
    if not isinstance(value, list) or not value:
        raise ValueError(f"{place} must be a list with at least one object")
    entries = [_entry(entry, f"{place}[{index}]") for index, entry in enumerate(value)]
    if prefix is None:
        prefix = _common_folder([entry.key for entry in entries])
    elif not prefix.endswith("/"):
        raise ValueError(f"channels.{name}.prefix must be a folder that ends in '/', got {prefix!r}")
    elif outside := [entry.key for entry in entries if not entry.key.startswith(prefix)]:
        raise ValueError(f"channels.{name} has the key {outside[0]!r}, which does not begin with its prefix {prefix!r}")
    return [replace(entry, root=prefix) for entry in entries]


def _common_folder(keys: Sequence[str]) -> str:
    """The longest folder that contains all keys; empty, or with a slash at its end."""
    first, last = min(keys).split("/")[:-1], max(keys).split("/")[:-1]
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return "".join(f"{part}/" for part in first[:shared])


def _entry(value: Any, place: str) -> Entry:
    if isinstance(value, str):
        value = {"key": value}
    check_fields(value, place, required={"key"}, optional={"version_id"})
    for field, text in value.items():
        if not isinstance(text, str) or not text:
            raise ValueError(f"{place}.{field} must be a string that is not empty")
    entry = Entry(value["key"], value.get("version_id"))
    if entry.name in {"", ".", ".."}:
        raise ValueError(f"{place}.key {entry.key!r} names a folder, not an object")
    return entry
