"""The files of a data set on this machine, as the commands take them: files, folders and patterns, by channel."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# What each command says about its argument.
DATA_HELP = (
    "a file, a folder or a pattern, or CHANNEL=PATH; a file's channel is its name without its suffix, and in a folder"
    " every file and folder is a channel"
)
GOLDEN_FILE, CONTRACT_FILE = "golden.csv", "contract.json"
# As lambdas/check_dataset/inspection.py.
CONTRACT_END = ".contract.json"
_PACKED = ".gz"
# As lambdas/check_dataset/manifest.py.
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a channel.

    Attributes:
        path: Where it is.
        name: Its path below the channel's folder, which training sees.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class DataFiles:
    """A data set on this machine.

    Attributes:
        name: Name of the data set, of its first path.
        channels: Channel to its files.
        alone: The one file that is the whole data set, if only a file was given: records, a manifest, or a
            ``trainingjob.zip``. It is also the one file of the channel ``train``.
        golden: Golden records.
        contract: Data contract.
    """

    name: str
    channels: dict[str, list[DataFile]] = field(default_factory=dict)
    alone: Path | None = None
    golden: Path | None = None
    contract: Path | None = None


def find_data(given: Sequence[str], *, golden: Path | None = None, contract: Path | None = None) -> DataFiles:
    """Find the files of the arguments of a command, see ``DATA_HELP``; hidden files are left out.

    In a folder of channels, ``golden.csv`` and ``contract.json`` are the golden records and the data contract; the
    contract of a single file is ``<file>.contract.json`` beside it. ``golden`` and ``contract`` name others.

    Raises:
        MlopsError: when a path does not exist, or a channel is given twice.
    """
    parsed = [_divided(text) for text in given]
    name = _name_of_set(parsed[0][1])
    if len(parsed) == 1 and parsed[0][0] is None and parsed[0][1].is_file():
        only = parsed[0][1]
        beside = only.with_name(f"{only.name}{CONTRACT_END}")
        if contract is None and beside.is_file():
            contract = beside
        alone = only if golden is None and contract is None else None
        return DataFiles(name, {"train": [DataFile(only, only.name)]}, alone, golden, contract)
    channels: dict[str, list[DataFile]] = {}
    for channel, path in parsed:
        if channel is not None:
            channels.setdefault(channel, []).extend(_files_of(path))
        elif path.is_dir():
            found = _in_folder(path)
            golden = found.golden if golden is None else golden
            contract = found.contract if contract is None else contract
            for one, files in found.channels.items():
                channels.setdefault(one, []).extend(files)
        else:
            for file in _files_of(path):
                _refuse_description(file.path)
                channels.setdefault(name_of(file.path), []).append(file)
    return DataFiles(name, checked_channels(channels), None, golden, contract)


def checked_channels(channels: Mapping[str, Sequence[Path | DataFile]]) -> dict[str, list[DataFile]]:
    """The files of each channel, those of folders with their paths below it.

    Raises:
        MlopsError: when SageMaker would refuse the name of a channel, or two files of a channel have the same name.
    """
    found = {channel: [file for path in paths for file in _named(path)] for channel, paths in channels.items()}
    for channel, files in found.items():
        if not _CHANNEL.fullmatch(channel):
            rule = "letters, digits, '.', '_' and '-', at most 64"
            raise MlopsError(f"{channel!r} cannot be the name of a channel: {rule}. Name it with CHANNEL=PATH")
        if not files:
            raise MlopsError(f"the channel {channel} has no file")
        name, count = Counter(file.name for file in files).most_common(1)[0]
        if count > 1:
            raise MlopsError(f"two files of a channel have the same name, {name}; rename one")
    return found


def _named(path: Path | DataFile) -> list[DataFile]:
    if isinstance(path, DataFile):
        return [path]
    return files_below(path) if path.is_dir() else [DataFile(path, path.name)]


def files_below(folder: Path) -> list[DataFile]:
    """All files below a folder, sorted; links are followed, hidden files are left out."""
    return list(_below(folder, "", frozenset()))


def name_of(path: Path) -> str:
    """The name of a file without its suffix, and without ``.gz`` after it; of a folder, its name."""
    if path.is_dir():
        return path.name
    return Path(path.name.removesuffix(_PACKED)).stem


def _divided(text: str) -> tuple[str | None, Path]:
    """The channel of an argument, where it names one, and the path."""
    channel, sign, path = text.partition("=")
    if not sign or Path(text).exists():
        return None, Path(text)
    if not channel or not path:
        raise MlopsError(f"{text} must be CHANNEL=PATH")
    return channel, Path(path)


def _files_of(path: Path) -> list[DataFile]:
    """The files of a file, a folder, or a pattern, whose names begin after the last folder without a pattern."""
    if path.is_dir():
        found = files_below(path)
        if not found:
            raise MlopsError(f"the folder {path} is empty")
        return found
    if path.is_file():
        return [DataFile(path, path.name)]
    if not _PATTERN.search(str(path)):
        raise MlopsError(f"{path} does not exist")
    fixed = _before_pattern(path)
    matches = [one.relative_to(fixed) for one in fixed.glob(path.relative_to(fixed).as_posix())]
    files: dict[Path, DataFile] = {}
    for match in sorted(one for one in matches if not any(part.startswith(".") for part in one.parts)):
        inner = files_below(fixed / match) if (fixed / match).is_dir() else [DataFile(fixed / match, "")]
        for file in inner:
            files[file.path] = DataFile(file.path, (match / file.name).as_posix())
    if not files:
        raise MlopsError(f"no file matches {path}")
    return list(files.values())


def _name_of_set(path: Path) -> str:
    is_pattern = not path.exists() and _PATTERN.search(str(path))
    return name_of((_before_pattern(path) if is_pattern else path).resolve())


def _before_pattern(path: Path) -> Path:
    """The folder before the first part that is a pattern."""
    parts = path.parts[:-1]
    return Path(*itertools.takewhile(lambda part: not _PATTERN.search(part), parts))


def _in_folder(folder: Path) -> DataFiles:
    entries: dict[str, Path] = {}
    extras: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.name in (GOLDEN_FILE, CONTRACT_FILE) and entry.is_file():
            extras[entry.name] = entry
            continue
        channel = name_of(entry)
        if channel in entries:
            raise MlopsError(f"{folder} has the channel {channel} twice: {entries[channel].name} and {entry.name}")
        entries[channel] = entry
    if not entries:
        raise MlopsError(f"{folder} is empty; a folder must have a file or folder for each channel, such as train.csv")
    channels = {channel: _files_of(entry) for channel, entry in entries.items()}
    return DataFiles(folder.name, channels, None, extras.get(GOLDEN_FILE), extras.get(CONTRACT_FILE))


def _below(folder: Path, prefix: str, above: frozenset[str]) -> Iterator[DataFile]:
    real = os.path.realpath(folder)
    if real in above:
        raise MlopsError(f"{folder} is a link to a folder that contains it; remove the link")
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{entry.name}/", above | {real})
        elif entry.is_file():
            yield DataFile(entry, f"{prefix}{entry.name}")
        else:
            raise MlopsError(f"{entry} is neither a file nor a folder, or a link to nothing; remove it")


def _refuse_description(path: Path) -> None:
    """Refuse among several files what describes a data set by itself; a JSON array is data."""
    name = path.name.lower()
    if name.endswith(".zip") or (name.endswith(".json") and path.is_file() and not _begins_with_bracket(path)):
        raise MlopsError(f"{path} is a manifest or a trainingjob.zip by its name: upload it alone")


def _begins_with_bracket(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
