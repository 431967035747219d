"""What was planned for each change: `docs/changes.json`, and how its rows are read."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILE = Path(__file__).resolve().parents[2] / "docs" / "changes.json"


@dataclass(frozen=True)
class Row:
    """One change and its effect.

    Attributes:
        base: The deployed pipeline.
        option: The option that is changed.
        value: Its other value.
        data: What it deletes or replaces that holds data, such as ``deletes ECR repository``.
        others: What else it deletes or replaces.
    """

    base: str
    option: str
    value: str
    data: Sequence[str]
    others: Sequence[str]


def read() -> list[Row]:
    """Read every row."""
    return [Row(**one) for one in json.loads(FILE.read_text(encoding="utf-8"))]


def write(rows: Iterable[Row]) -> None:
    """Write the rows, one on each line."""
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def losses(rows: Iterable[Row]) -> dict[str, set[str]]:
    """Give each option that loses data with what it deletes or replaces, without the numbers."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.option] |= {text.partition(" (")[0] for text in row.data}
    return {option: lost for option, lost in found.items() if lost}
