"""The formats of tables that are inspected, by the file name; the container of this library reads them alike."""

from __future__ import annotations

from dataclasses import dataclass

PACKED = ".gz"


@dataclass(frozen=True)
class Format:
    """How a file contains a table.

    Attributes:
        separator: What separates the cells of a line; ``None`` for JSON Lines.
        packed: Whether the file is packed with gzip.
    """

    separator: str | None = ","
    packed: bool = False


_SEPARATORS = {"csv": ",", "tsv": "\t", "jsonl": None, "ndjson": None, "jsonlines": None}


def format_of(name: str) -> Format | None:
    """The format of a file by the extension of its name; ``None`` for another format, which is not inspected."""
    stem = name.lower()
    packed = stem.endswith(PACKED)
    extension = stem.removesuffix(PACKED).rpartition(".")[2]
    return Format(_SEPARATORS[extension], packed) if extension in _SEPARATORS else None
