"""The formats of tables that are inspected, by the file name; the container of this library reads them alike."""

from __future__ import annotations

from dataclasses import dataclass

PACKED = ".gz"

# CSV, TSV
DELIMITED = "delimited"
JSON_LINES = "JSON Lines"
# One JSON list with all records.
JSON_ARRAY = "JSON array"
# https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
NUMPY = "NumPy"


@dataclass(frozen=True)
class Format:
    """How a file contains a table.

    Attributes:
        kind: One of ``DELIMITED``, ``JSON_LINES``, ``JSON_ARRAY`` and ``NUMPY``.
        separator: What separates the cells of a line, if it is ``DELIMITED``.
        packed: Whether the file is packed with gzip.
    """

    kind: str = DELIMITED
    separator: str = ","
    packed: bool = False

    @property
    def unit(self) -> str:
        """What has a number in messages."""
        return "line" if self.kind in (DELIMITED, JSON_LINES) else "record"


_FORMATS = {
    "csv": (DELIMITED, ","),
    "tsv": (DELIMITED, "\t"),
    "jsonl": (JSON_LINES, ""),
    "ndjson": (JSON_LINES, ""),
    "jsonlines": (JSON_LINES, ""),
    "json": (JSON_ARRAY, ""),
    "npy": (NUMPY, ""),
}


def format_of(name: str) -> Format | None:
    """The format of a file by the extension of its name; ``None`` for another format, which is not inspected."""
    stem = name.lower()
    packed = stem.endswith(PACKED)
    extension = stem.removesuffix(PACKED).rpartition(".")[2]
    if extension not in _FORMATS or (packed and extension == "npy"):
        return None
    return Format(*_FORMATS[extension], packed)
