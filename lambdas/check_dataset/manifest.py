"""The manifest: a JSON object, uploaded last, that names the objects of a data set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from check_dataset.fields import check_fields, parse_document
from handler_kit.errors import ConfigurationError

MAX_CHANNELS = 20
MAX_OBJECTS = 1000

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
        """The file name that training sees."""
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
        names = [entry.name for entry in entries]
        if len(set(names)) < len(names):
            twice = next(one for one in names if names.count(one) > 1)
            raise ValueError(f"channels.{name} has two objects named {twice!r}; rename one")
    if (objects := sum(map(len, channels.values()))) > MAX_OBJECTS:
        raise ValueError(f"{objects} objects; at most {MAX_OBJECTS} can be pinned. Join small files")


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


def _channel(name: str, entries: Any) -> list[Entry]:
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"channels.{name} must be a list with at least one object")
    return [_entry(entry, f"channels.{name}[{index}]") for index, entry in enumerate(entries)]


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
