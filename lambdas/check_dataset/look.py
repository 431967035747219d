"""Inspect the objects of a data set: one pass over each, within a budget of bytes that all of them share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from check_dataset.balance import check_training
from check_dataset.formats import format_of
from check_dataset.parallel import each
from check_dataset.table import read_table
from check_dataset.unpack import MAX_RATIO
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from check_dataset.content import Content
    from check_dataset.contract import Contract
    from check_dataset.problems import Problems
    from check_dataset.source import Files, Pinned
    from check_dataset.table import Table

# At about 70 MB/s this takes 3 of the function's 15 minutes.
MAX_HASHED_BYTES = 10 * 1000**3

Channels = dict[str, list["Pinned"]]

# The first CSV file in them gives the golden records.
GOLDEN_CHANNELS = ("validation", "train")
_PARQUET = ".parquet"
_MAGIC = b"PAR1"


@dataclass
class Findings:
    """The results of the inspection.

    Attributes:
        tables: Channel to the files in it that were inspected.
        sha256: Fingerprint of the content: equal content has the same fingerprint, whatever its keys and versions.
        rows: How many rows were inspected.
        partly: How many files were inspected only in part.
        unread: How many objects are not tables that can be inspected; only the algorithm knows them.
        unhashed: How many objects are identified by ETag, because there was too much to read.
    """

    tables: dict[str, list[Table]] = field(default_factory=dict)
    sha256: str = ""
    rows: int = 0
    partly: int = 0
    unread: int = 0
    unhashed: int = 0

    def summary(self) -> str:
        """What was inspected, as text for people."""
        parts = [f"{counted(self.rows, 'row')} inspected"] if self.rows else []
        if self.partly:
            parts.append(f"{self.partly} of the files only at the beginning")
        if self.unread:
            unread = counted(self.unread, "object")
            parts.append(f"{unread} not inspected: no tables in CSV, TSV, JSON or NumPy")
        if self.unhashed:
            parts.append(f"{counted(self.unhashed, 'object')} identified by ETag, not by content")
        return ", ".join(parts)


def counted(number: int, noun: str) -> str:
    """A number with its noun, as text for people."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def look(
    files: Files, channels: Channels, contract: Contract, budget: int, max_bytes: int, problems: Problems
) -> Findings:
    """Inspect every object; gzip files must not unpack to more than what the others leave of ``max_bytes``.

    What is wrong goes to ``problems``, with the object, the line and the column.
    """
    objects = [pinned for found in channels.values() for pinned in found]
    others = [pinned for pinned in objects if not is_table(pinned)]
    hashed = _to_hash(objects)
    findings = Findings(unread=len(others), unhashed=len(objects) - len(hashed))
    left = max_bytes - sum(pinned.size for pinned in objects if not _is_packed(pinned))
    reader = _Reader(files, contract, _budgets(objects, budget), hashed, left, problems)
    each(reader.hash, [pinned for pinned in others if id(pinned) in hashed])
    for channel, found in channels.items():
        tables = [pinned for pinned in found if is_table(pinned)]
        read = [table for pinned in tables if (table := reader.read(channel, pinned)) is not None]
        if channel == "train" and read and channel not in reader.failed:
            with problems.collected():
                check_training(read, contract)
        findings.tables[channel] = read
        findings.rows += sum(table.count for table in read)
        findings.partly += sum(table.truncated for table in read)
    findings.unread += reader.unread
    with problems.collected():
        check_widths(findings.tables)
    facts = [reader.fact(channel, pinned) for channel, found in channels.items() for pinned in found]
    findings.sha256 = hashlib.sha256(json.dumps(sorted(facts)).encode()).hexdigest()
    return findings


@dataclass
class _Reader:
    """Reads each object once.

    Attributes:
        files: Where they are.
        contract: The data contract.
        budgets: How many bytes of each table are read, by the ``id`` of its object.
        hashed: The ``id`` of the objects whose content is identified by SHA-256.
        left: How many bytes gzip files may still unpack to.
        problems: Where problems go to.
        unread: How many files are no tables, although their names are those of tables.
        failed: The channels in which something is wrong.
    """

    files: Files
    contract: Contract
    budgets: dict[int, int]
    hashed: set[int]
    left: int
    problems: Problems
    unread: int = 0
    failed: set[str] = field(default_factory=set)
    _digests: dict[int, str] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def hash(self, pinned: Pinned) -> None:
        """Read an object that is not a table."""
        with self.problems.collected():
            content = self.files.open(pinned, 0)
            self._digests[id(pinned)] = content.sha256()
            _check_ends(content, pinned)

    def read(self, channel: str, pinned: Pinned) -> Table | None:
        """Inspect a table; ``None`` when it is none, or something is wrong with it."""
        format_ = format_of(pinned.entry.key)
        assert format_ is not None, pinned
        with self.problems.collected():
            content = self.files.open(pinned, self.budgets[id(pinned)], self.left if format_.packed else None)
            table = read_table(content, format_, self.contract)
            if id(pinned) in self.hashed:
                self._digests[id(pinned)] = content.sha256()
            self.left -= content.size if format_.packed else 0
            if table is None:
                self.unread += 1
            elif channel not in GOLDEN_CHANNELS or channel in self._kept:
                table.forget_rows()
            elif table.keeps_rows:
                self._kept.add(channel)
            return table
        self.failed.add(channel)
        return None

    def fact(self, channel: str, pinned: Pinned) -> list[str]:
        """What identifies an object: its content, and where training may learn from its name, its path.

        For a table in no folder, the name means nothing.
        """
        name = pinned.entry.name
        digest = self._digests.get(id(pinned), f"{pinned.etag} {pinned.size}")
        nameless = is_table(pinned) or name.lower().endswith(_PARQUET)
        return [channel, digest] if nameless and "/" not in name else [channel, digest, name]


def is_table(pinned: Pinned) -> bool:
    """Whether the rows of an object are inspected."""
    return format_of(pinned.entry.key) is not None


def _to_hash(objects: Sequence[Pinned]) -> set[int]:
    """The ``id`` of the objects whose whole content is read."""
    ends = accumulate(pinned.size for pinned in objects)
    return {id(pinned) for pinned, end in zip(objects, ends, strict=True) if end <= MAX_HASHED_BYTES}


def _check_ends(content: Content, pinned: Pinned) -> None:
    """Check that a Parquet file is complete: its footer is its end. Nothing else of it can be read here.

    https://parquet.apache.org/docs/file-format/
    """
    if not pinned.entry.key.lower().endswith(_PARQUET):
        return
    footer, magic = int.from_bytes(content.last[:4], "little"), content.last[4:]
    if content.first[:4] != _MAGIC or magic != _MAGIC or footer > content.size - 12:
        raise ConfigurationError(
            f"{content.place}: not a complete Parquet file, because its end is not a footer; write and upload it again"
        )


def _is_packed(pinned: Pinned) -> bool:
    format_ = format_of(pinned.entry.key)
    return format_ is not None and format_.packed


def check_widths(tables: Mapping[str, Sequence[Table]]) -> None:
    """Raise ConfigurationError when files have different numbers of columns."""
    widths = {table.width: name for name, found in tables.items() for table in found if table.width}
    if len(widths) > 1:
        differing = ", ".join(f"{width} ({name})" for width, name in sorted(widths.items()))
        raise ConfigurationError(f"The files of the data set differ in their number of columns: {differing}")


def _budgets(objects: Sequence[Pinned], budget: int) -> dict[int, int]:
    """How many bytes of each table are read, by the ``id`` of its object; nobody knows what a gzip file unpacks to."""
    tables = [pinned for pinned in objects if is_table(pinned)]
    sizes = [pinned.size * (MAX_RATIO if _is_packed(pinned) else 1) for pinned in tables]
    return dict(zip(map(id, tables), _shares(sizes, budget), strict=True))


def _shares(sizes: Sequence[int], budget: int) -> list[int]:
    """Divide a budget evenly: what a small file does not use goes to the larger files."""
    shares, left = [0] * len(sizes), budget
    for rank, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[index] = min(sizes[index], left // (len(sizes) - rank))
        left -= shares[index]
    return shares
