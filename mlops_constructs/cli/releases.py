"""``mlops releases``: what was released to production."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ..deployed import Releases
from ..deployed.releases import role_of
from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    import argparse

_HEADINGS = ("release", "released", "metrics", "data version", "commit", "approved by", "note")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "releases",
        help="list what a pipeline has released to production",
        description="List the releases of a pipeline, newest first.",
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the releases; having none is not a failure, having one that cannot be read is."""
    releases = Releases(read_pipeline(options))
    records = releases.all()
    if options.json:
        print(json.dumps(records, indent=2))
    elif not records and not releases.unreadable:
        print(f"{options.pipeline} has released nothing yet.")
    elif records:
        rows = [_HEADINGS, *(_row(record) for record in records)]
        if any("role" in record for record in records):
            roles = ("role", *map(role_of, records))
            rows = [(row[0], role, *row[1:]) for row, role in zip(rows, roles, strict=True)]
        _print(rows)
    for problem in releases.unreadable:
        print(f"{problem}. Restore its previous version.", file=sys.stderr)
    return 1 if releases.unreadable else 0


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    metrics = record.get("metrics") or {}
    return (
        str(record["release"]),
        str(record.get("released_at") or "")[:19],
        ", ".join(f"{name} {_short(value)}" for name, value in sorted(metrics.items())[:2]),
        str((record.get("dataset") or {}).get("version_id") or ""),
        str(record.get("commit") or "")[:12],
        str(record.get("approved_by") or "").rpartition(":")[2],
        _note(record),
    )


def _note(record: dict[str, Any]) -> str:
    """Why an earlier release was deployed again."""
    if record.get("end_of_test"):
        return f"end of a test: {record.get('staying_release')} stays"
    notes = {"rollback_to": "rollback to", "promotion_of": "promotion of"}
    return next((f"{text} {record[name]}" for name, text in notes.items() if record.get(name) is not None), "")


def _short(value: str) -> str:
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


def _print(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
