"""``mlops cache``: what rehearsals keep on this machine, and how to delete it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..rehearsal.cache import Entry

_UNITS = ("B", "KB", "MB", "GB")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "cache",
        help="show or delete what rehearsals keep on this machine",
        description="Show what `mlops rehearse`, `train` and `serve` keep on this machine for the next run, "
        "and what killed ones left behind. `mlops cache clear` deletes it, except for what a running one uses.",
        epilog="example: mlops cache clear --older-than 14",
    )
    parser.add_argument("action", nargs="?", choices=["show", "clear"], default="show", help="default: show")
    parser.add_argument(
        "--older-than", type=float, default=0, metavar="DAYS", help="clear only what was not used for so many days"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show the entries, or delete them."""
    from ..rehearsal.cache import clear, entries

    if options.older_than and options.action != "clear":
        raise MlopsError("--older-than goes with clear: mlops cache clear --older-than DAYS")
    if options.older_than < 0:
        raise MlopsError(f"--older-than must be 0 days or more, got {options.older_than:g}")
    if options.action == "show":
        found = entries()
        _show({"entries": found}, "in all" if found else "nothing is kept", as_json=options.json)
        return 0
    gone, used = clear(options.older_than)
    _show({"deleted": gone, "in use": used}, "deleted" if gone else "nothing was deleted", as_json=options.json)
    return 0


def _show(groups: dict[str, Sequence[Entry]], summary: str, *, as_json: bool) -> None:
    if as_json:
        rows = {name.replace(" ", "_"): [_row(entry) for entry in group] for name, group in groups.items()}
        print(json.dumps(rows, indent=2))
        return
    for name, group in groups.items():
        for entry in group:
            days = f"unused for {entry.unused_days:.0f} days" if name != "in use" else name
            print(f"{_size(entry.bytes):>8}  {entry.path}  ({entry.what}; {days})")
    print(f"{_size(sum(entry.bytes for entry in next(iter(groups.values())))):>8}  {summary}")


def _row(entry: Entry) -> dict[str, object]:
    return {name: value for name, value in asdict(entry).items() if name != "mark"} | {"path": str(entry.path)}


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"
