"""The results as tables: in colour in a terminal, else as plain lines; as Markdown in the docs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from synth_benchmark.collect import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_benchmark.numbers import Target
    from synth_benchmark.part import Table

VERDICTS = {True: "met", False: "missed", None: "not measured"}
_STYLES = {True: "green", False: "red", None: "yellow"}


def tables(document: dict[str, Any]) -> Iterator[Table]:
    """Yield the table of each part that was measured."""
    for name, part in PARTS.items():
        if name in document["parts"]:
            yield part.table(document["parts"][name]["result"])


def targets(document: dict[str, Any]) -> list[Target]:
    """Return the targets of each part that was measured."""
    return [
        target
        for name, part in PARTS.items()
        if name in document["parts"]
        for target in part.targets(document["parts"][name]["result"])
    ]


def show(document: dict[str, Any]) -> None:
    """Print everything."""
    if sys.stdout.isatty():
        _show_rich(document)
    else:
        print("\n".join(lines(document)))


def lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield plain lines."""
    for table in tables(document):
        yield f"{table.title}"
        widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
        for row in (table.columns, *table.rows):
            first, *others = (
                cell.ljust(width) if not place else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            yield "  " + "  ".join([first, *others]).rstrip()
        yield from (f"  {note}" for note in table.notes)
        yield ""
    for name, reason in document["failed"].items():
        yield f"{name} could not be measured: {reason}"
    yield "Targets"
    for target in targets(document):
        yield f"  {VERDICTS[target.met]:12} {target.what}: {target.measured}; required: {target.required}"


def markdown(table: Table) -> Iterator[str]:
    """Yield the lines of a table in Markdown, under a heading."""
    yield from (f"## {table.title}", "")
    yield _row(table.columns)
    yield "|---|" + "---:|" * (len(table.columns) - 1)
    yield from map(_row, table.rows)
    yield ""
    for note in table.notes:
        yield from (f"{note[0].upper()}{note[1:].rstrip('.')}.", "")


def markdown_targets(found: list[Target]) -> Iterator[str]:
    """Yield the lines of a Markdown table of the targets, under a heading."""
    yield from ("## Targets", "", _row(("target", "measured", "required", "")), "|---|---:|---:|---|")
    for target in found:
        yield _row((target.what, target.measured, target.required, VERDICTS[target.met]))


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _show_rich(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(highlight=False)
    for table in tables(document):
        drawn = RichTable(title=table.title, title_justify="left", title_style="bold")
        for place, column in enumerate(table.columns):
            drawn.add_column(column, justify="right" if place else "left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)
        for note in table.notes:
            console.print(note, style="dim", markup=False)
        console.print()
    for name, reason in document["failed"].items():
        console.print(f"{name} could not be measured: {reason}", style="red", markup=False)
    for target in targets(document):
        text = f"{VERDICTS[target.met]:12} {target.what}: {target.measured}; required: {target.required}"
        console.print(text, style=_STYLES[target.met], markup=False)
