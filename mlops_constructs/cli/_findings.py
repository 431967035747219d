"""Output of findings: a table in a terminal, lines in a pipe, or JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..doctor.finding import Finding

_STYLES = {"good": "green", "warning": "yellow", "broken": "bold red"}


def show(findings: Iterable[Finding], *, as_json: bool) -> list[Finding]:
    """Show each finding as soon as it is known, or all in a table; return them.

    The table needs a terminal, and rich, which comes with the rehearsal extra.
    """
    if as_json:
        found = list(findings)
        print(json.dumps([asdict(finding) for finding in found], indent=2))
        return found
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        return _lines(findings)
    console = Console()
    return _table(findings, console) if sys.stdout.isatty() else _lines(findings)


def line(finding: Finding) -> str:
    """A finding as a line, with its remedy on a second one."""
    remedy = f"\n{'':10}{finding.remedy}" if finding.remedy else ""
    return f"{finding.state:<9} {finding.thing}: {finding.detail}{remedy}"


def _lines(findings: Iterable[Finding]) -> list[Finding]:
    found = []
    for finding in findings:
        found.append(finding)
        print(line(finding), flush=True)
    return found


def _table(findings: Iterable[Finding], console: Console) -> list[Finding]:
    from rich.table import Table
    from rich.text import Text

    with console.status("asking"):
        found = list(findings)
    table = Table(box=None, padding=(0, 1), show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in found:
        detail = Text(finding.detail)
        if finding.remedy:
            detail.append(f"\n{finding.remedy}", style="cyan")
        table.add_row(Text(finding.state, style=_STYLES[finding.state]), Text(finding.thing), detail)
    console.print(table)
    return found
