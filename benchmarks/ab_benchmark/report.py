"""The tables of the benchmark, as plain lines and as numbers, and its targets."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from ab_benchmark.cells import COVERAGE, LEVEL, POWER
from ab_benchmark.limits import upper_limit
from ab_benchmark.simulation import ASYMPTOTIC, ASYMPTOTIC_EACH, METHODS, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ab_benchmark.cells import Task
    from ab_benchmark.simulation import Outcome

FALSE_VERDICTS, RELATIVE_POWER = 0.05, 0.95
TITLES = {
    LEVEL: "False verdicts in tests without a difference, % (in brackets: 95 % upper limit)",
    POWER: "Tests that find the difference, % (in brackets: median outcomes until then, over all tests)",
    COVERAGE: "Intervals that contain the difference at all looks together, % (median width at the end)",
}
VERDICTS = {True: "met", False: "missed", None: "open"}


def numbers(task: Task, found: Outcome, widths: list[float]) -> dict[str, Any]:
    """Return the results of a cell as JSON."""
    row: dict[str, Any] = {
        "part": task.part,
        "champion": task.cell.champion,
        "challenger": task.cell.challenger,
        "share": task.cell.share,
        "runs": task.runs,
    }
    if task.part == COVERAGE:
        row["covered"] = {name: 1.0 - float(missed.mean()) for name, missed in found.missed.items()}
        row["width"] = statistics.median(widths) if widths else None
        return row
    for name in METHODS:
        right = found.first[name] > 0
        if task.part == POWER:
            right &= found.challenger_better[name] == (task.cell.difference > 0)
        row[name] = {
            "share": float(right.mean()),
            "upper": upper_limit(int(right.sum()), task.runs),
            "median": _median(np.where(right, found.first[name], np.iinfo(np.int64).max)),
        }
    return row


def _median(firsts: Any) -> int | None:
    """Return the median; None if half of the tests or more have not found the difference."""
    middle = float(np.sort(firsts)[len(firsts) // 2])
    return int(middle) if middle < 2.0**62 else None


def lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield the tables and the targets."""
    for part, title in TITLES.items():
        rows = [row for row in document["rows"] if row["part"] == part]
        yield f"{title}; {rows[0]['runs']:,} tests each"
        names = (OURS, ASYMPTOTIC_EACH) if part == COVERAGE else METHODS
        yield _line("champion/challenger, split", list(names))
        for row in rows:
            kept = 100.0 * (1.0 - row["share"])
            name = f"{row['champion']:g}/{row['challenger']:g}, {kept:.0f}:{100 - kept:.0f}"
            yield _line(name, [_cell(part, row, method) for method in names])
        yield ""
    yield f"{document['compared']} tests compared with the shipped modules: equal to 1e-9."
    yield "Targets"
    for target in targets(document["rows"]):
        yield f"  {VERDICTS[target['met']]:8}{target['what']}: {target['measured']}; required: {target['required']}"


def _line(name: str, cells: list[str]) -> str:
    return f"  {name:27}" + "".join(f"{cell:>22}" for cell in cells)


def _cell(part: str, row: dict[str, Any], method: str) -> str:
    if part == COVERAGE:
        width = f" ({row['width']:.3f})" if method == OURS and row["width"] is not None else ""
        return f"{100 * row['covered'][method]:.1f}{width}"
    found = row[method]
    if part == LEVEL:
        return f"{100 * found['share']:.1f} ({100 * found['upper']:.1f})"
    return f"{100 * found['share']:.1f} ({'-' if found['median'] is None else format(found['median'], ',')})"


def targets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is required of the shipped method, and whether it is met; None if that takes more tests."""
    cells = [row for row in rows if row["part"] == LEVEL]
    worst = max(row[OURS]["upper"] for row in cells)
    # The lower limit is the upper limit of the opposite.
    least = max(1.0 - upper_limit(round((1.0 - row[OURS]["share"]) * row["runs"]), row["runs"]) for row in cells)
    found = [
        {
            "what": "upper limit of false verdicts in the worst cell",
            "measured": f"{100 * worst:.1f} %",
            "required": f"at most {100 * FALSE_VERDICTS:.0f} %",
            "met": worst <= FALSE_VERDICTS or (False if least > FALSE_VERDICTS else None),
        }
    ]
    for row in rows:
        if row["part"] == POWER and row["share"] == 0.5:
            rival = max(row[ASYMPTOTIC]["share"], row[ASYMPTOTIC_EACH]["share"])
            ratio = row[OURS]["share"] / rival if rival else 1.0
            found.append(
                {
                    "what": f"power beside the asymptotic sequence, {row['champion']:g}/{row['challenger']:g}, 50:50",
                    "measured": f"{ratio:.2f}x",
                    "required": f"at least {RELATIVE_POWER:g}x",
                    "met": ratio >= RELATIVE_POWER,
                }
            )
    return found
