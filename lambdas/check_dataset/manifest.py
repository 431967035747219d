"""The manifest: a JSON object, written last, that names the objects of a data set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from handler_kit.errors import ConfigurationError

MAXIMUM_CHANNELS = 20
MAXIMUM_OBJECTS = 1000

_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """One object of the data bucket; no version means the newest one."""

    key: str
    version_id: str | None = None

    @property
    def name(self) -> str:
        """The last part of the key: the file name that training sees."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class Manifest:
    """The objects of each channel, and the golden records when the manifest names them."""

    channels: dict[str, list[Entry]]
    golden: Entry | None = None


def parse_manifest(text: str, place: str) -> Manifest:
    """Read a manifest; ``place`` says where it lies. Raises ConfigurationError saying what is wrong."""
    try:
        return _manifest(json.loads(text, object_pairs_hook=_without_duplicates))
    except RecursionError:
        raise ConfigurationError(f"{place}: nested too deeply for a manifest") from None
    except ValueError as error:
        raise ConfigurationError(f"{place}: not a valid manifest: {error}") from None


def _manifest(value: Any) -> Manifest:
    _check_fields(value, "the manifest", required={"channels"}, optional={"golden"})
    channels = value["channels"]
    if not isinstance(channels, dict) or not channels:
        raise ValueError("channels must be an object with at least the channel train")
    if "train" not in channels:
        raise ValueError(f"channels has no train, only {', '.join(sorted(channels))}")
    if len(channels) > MAXIMUM_CHANNELS:
        raise ValueError(f"{len(channels)} channels; SageMaker takes at most {MAXIMUM_CHANNELS}")
    parsed = {name: _channel(name, entries) for name, entries in channels.items()}
    if (objects := sum(map(len, parsed.values()))) > MAXIMUM_OBJECTS:
        raise ValueError(f"{objects} objects; at most {MAXIMUM_OBJECTS} can be pinned. Join small files")
    golden = _entry(value["golden"], "golden") if "golden" in value else None
    return Manifest(parsed, golden)


def _channel(name: str, entries: Any) -> list[Entry]:
    if not _CHANNEL.fullmatch(name):
        raise ValueError(f"channel name {name!r}: only letters, digits, '.', '_' and '-', at most 64")
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"channels.{name} must be a list with at least one object")
    parsed = [_entry(entry, f"channels.{name}[{index}]") for index, entry in enumerate(entries)]
    names = [entry.name for entry in parsed]
    for entry in parsed:
        if names.count(entry.name) > 1:
            raise ValueError(f"channels.{name} has two objects named {entry.name!r}; rename one")
    return parsed


def _entry(value: Any, place: str) -> Entry:
    if isinstance(value, str):
        value = {"key": value}
    _check_fields(value, place, required={"key"}, optional={"version_id"})
    for field, text in value.items():
        if not isinstance(text, str) or not text:
            raise ValueError(f"{place}.{field} must be a string that is not empty")
    entry = Entry(value["key"], value.get("version_id"))
    if entry.name in {"", ".", ".."}:
        raise ValueError(f"{place}.key {entry.key!r} names a folder, not an object")
    return entry


def _check_fields(value: Any, place: str, *, required: set[str], optional: set[str]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object")
    if missing := required - value.keys():
        raise ValueError(f"{place} has no {', '.join(sorted(missing))}")
    if unknown := value.keys() - required - optional:
        raise ValueError(f"{place} has the unknown field {', '.join(sorted(unknown))}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} is given twice")
        found[key] = value
    return found
