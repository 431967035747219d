"""Inspect the objects of a data set: one pass over each, within a budget of bytes that all of them share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from check_dataset.balance import check_training
from check_dataset.table import Table, read_csv, read_json_lines
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from check_dataset.contract import Contract
    from check_dataset.source import Pinned, Source

# At about 70 MB/s this takes 3 of the function's 15 minutes.
MAX_HASHED_BYTES = 10 * 1000**3

Channels = dict[str, list["Pinned"]]

_READERS = {"csv": read_csv, "jsonl": read_json_lines, "ndjson": read_json_lines}


@dataclass
class Findings:
    """The results of the inspection.

    Attributes:
        tables: Channel to the CSV files in it.
        sha256: Fingerprint of the content: equal content has the same fingerprint, whatever its keys and versions.
        rows: How many rows were inspected.
        partly: How many files were inspected only in part.
        unread: How many objects have another format than CSV or JSON Lines; only the algorithm knows it.
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
        parts = [f"{self.rows} rows inspected"] if self.rows else []
        if self.partly:
            parts.append(f"{self.partly} of the files only at the beginning")
        if self.unread:
            parts.append(f"{self.unread} objects in another format than CSV or JSON Lines not inspected")
        if self.unhashed:
            parts.append(f"{self.unhashed} objects identified by ETag, not by content")
        return ", ".join(parts)


def look(source: Source, channels: Channels, contract: Contract, budget: int) -> Findings:
    """Inspect every object. Raises ConfigurationError that names the object, the line and the column."""
    findings, facts = Findings(), []
    texts = [pinned for objects in channels.values() for pinned in objects if kind_of(pinned)]
    shares = _shares([pinned.size for pinned in texts], budget)
    share_of = dict(zip(map(id, texts), shares, strict=True))
    hashed = 0
    for channel, objects in channels.items():
        tables: list[Table] = []
        for pinned in objects:
            hashed += pinned.size
            content = source.open(pinned, share_of.get(id(pinned), 0))
            kind = kind_of(pinned)
            if kind is None:
                findings.unread += 1
            else:
                table = _READERS[kind](content, contract)
                findings.rows += table.count
                findings.partly += table.truncated
                tables.append(table)
            if hashed > MAX_HASHED_BYTES:
                findings.unhashed += 1
                facts.append([channel, f"{pinned.etag} {pinned.size}"])
            else:
                facts.append([channel, content.sha256()])
        if channel == "train" and tables:
            check_training(tables, contract)
        findings.tables[channel] = [table for table in tables if table.width]
    findings.sha256 = hashlib.sha256(json.dumps(sorted(facts)).encode()).hexdigest()
    return findings


def kind_of(pinned: Pinned) -> str | None:
    """``csv``, ``jsonl``, ``ndjson``, or ``None`` for another format, by the extension of the key."""
    end = pinned.entry.key.lower().rpartition(".")[2]
    return end if end in _READERS else None


def check_widths(tables: Mapping[str, Sequence[Table]]) -> None:
    """Raise ConfigurationError when CSV files have different numbers of columns."""
    widths = {table.width: name for name, found in tables.items() for table in found}
    if len(widths) > 1:
        differing = ", ".join(f"{width} ({name})" for width, name in sorted(widths.items()))
        raise ConfigurationError(f"The CSV files of the data set differ in their number of columns: {differing}")


def _shares(sizes: Sequence[int], budget: int) -> list[int]:
    """Divide a budget evenly: what a small file does not use goes to the larger files."""
    shares, left = [0] * len(sizes), budget
    for rank, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[index] = min(sizes[index], left // (len(sizes) - rank))
        left -= shares[index]
    return shares
