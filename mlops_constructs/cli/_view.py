"""The output of a rehearsal: a live table in a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..rehearsal.progress import Update

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from ..rehearsal.progress import State

_MARKS: dict[State, tuple[str, str]] = {
    "running": ("…", "cyan"),
    "waiting": ("?", "yellow"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
}


def make_view(options: argparse.Namespace) -> View:
    """Choose the view: live in a terminal, plain elsewhere. With ``--json`` it goes to standard error."""
    stream = sys.stderr if options.json else sys.stdout
    kind = LiveView if stream.isatty() else View
    asked = not (options.approve or options.reject)
    return kind(stream, _ask if asked else lambda _evidence: bool(options.approve), verbose=options.verbose)


def _ask(evidence: str) -> bool:
    print(f"\n{evidence}")
    while True:
        answer = input("Approve production? [y/n] ").strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            return False


class View:
    """Plain lines, one per change."""

    def __init__(self, stream: TextIO, decide: Callable[[str], bool], *, verbose: bool) -> None:
        """Write to ``stream``; ``decide`` answers the approval."""
        self._stream, self._decide, self._verbose = stream, decide, verbose
        self._lock = threading.Lock()

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop drawing; lines can still be written."""

    def update(self, update: Update) -> None:
        """Write one line."""
        time_ = f" ({update.seconds:.1f} s)" if update.state in ("succeeded", "failed") else ""
        detail = f": {update.detail}" if update.detail else ""
        self._write(f"{update.group} | {update.name} | {update.state}{time_}{detail}")

    def log(self, line: str) -> None:
        """Write a line of the local AWS's log, with ``--verbose``."""
        if self._verbose:
            self._write(f"  {line}")

    def say(self, text: str) -> None:
        """Write text that must always be shown."""
        self._write(text)

    def decide(self, evidence: str) -> bool:
        """Ask for the approval."""
        return self._decide(evidence)

    @contextmanager
    def step(self, group: str, name: str) -> Iterator[None]:
        """Show a step of our own."""
        began = time.monotonic()
        self.update(Update(group=group, name=name, state="running"))
        try:
            yield
        except BaseException:
            self.update(Update(group=group, name=name, state="failed", seconds=time.monotonic() - began))
            raise
        self.update(Update(group=group, name=name, state="succeeded", seconds=time.monotonic() - began))

    def _write(self, text: str) -> None:
        with self._lock:
            print(text, file=self._stream, flush=True)


class LiveView(View):
    """A table that is redrawn at each change."""

    def __init__(self, stream: TextIO, decide: Callable[[str], bool], *, verbose: bool) -> None:
        super().__init__(stream, decide, verbose=verbose)
        self._console = Console(file=stream)
        self._rows: dict[tuple[str, str], tuple[Update, float]] = {}
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=8)

    def __enter__(self) -> View:
        self._live.start()
        return self

    def close(self) -> None:
        """Stop updating the table."""
        self._live.stop()

    def update(self, update: Update) -> None:
        """Change one row."""
        with self._lock:
            self._rows[update.group, update.name] = (update, time.monotonic())

    def decide(self, evidence: str) -> bool:
        """Ask for the approval; the table is not updated meanwhile."""
        self._live.stop()
        try:
            return self._decide(evidence)
        finally:
            self._live.start()

    def _write(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 1), show_header=False)
        for column in ("mark", "step", "seconds", "detail"):
            table.add_column(column, justify="right" if column == "seconds" else "left", overflow="fold")
        with self._lock:
            rows = list(self._rows.values())
        group = ""
        for update, since in rows:
            if update.group != group:
                group = update.group
                table.add_row("", Text(group, style="bold"), "", "")
            table.add_row(*_cells(update, since))
        return table


def _cells(update: Update, since: float) -> tuple[Any, ...]:
    mark, style = _MARKS[update.state]
    running = update.state in ("running", "waiting")
    seconds = time.monotonic() - since if running else update.seconds
    return Text(mark, style=style), Text(update.name), f"{seconds:.1f} s", Text(update.detail, style="dim")
