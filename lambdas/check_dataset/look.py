"""Inspect the objects of a data set: one pass over each, within a budget of bytes that all of them share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from check_dataset.balance import check_training
from check_dataset.formats import format_of
from check_dataset.table import read_table
from check_dataset.unpack import MAX_RATIO
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from check_dataset.content import Content
    from check_dataset.contract import Contract
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
        unread: How many objects have another format than CSV, TSV or JSON Lines; only the algorithm knows it.
        unhashed: How many objects are identified by ETag, because there was too much to read.
    """

    tables: dict[str, list[Table]] = field(default_factory=dict)
    sha256: str = ""
    rows: int = 0
    partly: int = 0
    unread: int = 0
    unhashed: int = 0

    def inspect(self, content: Content, pinned: Pinned, contract: Contract) -> Table | None:
        """Inspect a table and count it; ``None`` for another format."""
        format_ = format_of(pinned.entry.key)
        if format_ is None:
            self.unread += 1
            return None
        table = read_table(content, format_, contract)
        self.rows += table.count
        self.partly += table.truncated
        return table

    def summary(self) -> str:
        """What was inspected, as text for people."""
        parts = [f"{self.rows} rows inspected"] if self.rows else []
        if self.partly:
            parts.append(f"{self.partly} of the files only at the beginning")
        if self.unread:
            parts.append(f"{self.unread} objects in another format than CSV, TSV or JSON Lines not inspected")
        if self.unhashed:
            parts.append(f"{self.unhashed} objects identified by ETag, not by content")
        return ", ".join(parts)


def look(files: Files, channels: Channels, contract: Contract, budget: int, max_bytes: int) -> Findings:
    """Inspect every object; gzip files must not unpack to more than what the others leave of ``max_bytes``.

    Raises ConfigurationError that names the object, the line and the column.
    """
    findings, facts, hashed = Findings(), [], 0
    pinned_objects = [pinned for objects in channels.values() for pinned in objects]
    budgets = _budgets(pinned_objects, budget)
    left = max_bytes - sum(pinned.size for pinned in pinned_objects if not _is_packed(pinned))
    for channel, objects in channels.items():
        tables: list[Table] = []
        for pinned in objects:
            hashed += pinned.size
            packed = _is_packed(pinned)
            content = files.open(pinned, budgets.get(id(pinned), 0), left if packed else None)
            if (table := findings.inspect(content, pinned, contract)) is not None:
                if channel not in GOLDEN_CHANNELS or any(one.kept for one in tables):
                    table.forget_rows()
                tables.append(table)
            if hashed > MAX_HASHED_BYTES:
                findings.unhashed += 1
                facts.append([channel, f"{pinned.etag} {pinned.size}"])
            else:
                facts.append([channel, content.sha256()])
                _check_ends(content, pinned)
            left -= content.size if packed else 0
        if channel == "train" and tables:
            check_training(tables, contract)
        findings.tables[channel] = tables
    findings.sha256 = hashlib.sha256(json.dumps(sorted(facts)).encode()).hexdigest()
    return findings


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
    tables = [pinned for pinned in objects if format_of(pinned.entry.key) is not None]
    sizes = [pinned.size * (MAX_RATIO if _is_packed(pinned) else 1) for pinned in tables]
    return dict(zip(map(id, tables), _shares(sizes, budget), strict=True))


def _shares(sizes: Sequence[int], budget: int) -> list[int]:
    """Divide a budget evenly: what a small file does not use goes to the larger files."""
    shares, left = [0] * len(sizes), budget
    for rank, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[index] = min(sizes[index], left // (len(sizes) - rank))
        left -= shares[index]
    return shares
