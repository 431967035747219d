"""Writes docs/reliability.md from the rows and from the tests that show them. Run: make docs."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
PAGE = Path(__file__).with_name("reliability.md")
sys.path.insert(0, str(TESTS))

from reliability.rows import ROWS  # noqa: E402

_HEAD = """# Reliability

Sixty faults and bad inputs, what happens, and the tests that show it. `make docs` writes this page from the tests: the
name of a test begins with the numbers of its rows. [Faults](faults.md) tells how to inject such faults into a pipeline
of your own.

| | Fault | What happens | Tests |
|---|---|---|---|
"""
# Such as test_05_08_a_sample.
_TEST = re.compile(r"^ *def (test_((?:\d\d_)+)\w+)\(", re.MULTILINE)
_MISSING = """
## What no test shows

| | What is missing | The call that would show it |
|---|---|---|
"""


def shown_by_row(folder: Path) -> dict[int, list[str]]:
    """Return the tests that show each row, as ``folder/file::test``."""
    found = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for name, rows in _TEST.findall(path.read_text(encoding="utf-8")):
            for row in rows.strip("_").split("_"):
                found[int(row)].append(f"{path.relative_to(folder).with_suffix('').as_posix()}::{name}")
    return dict(found)


def page() -> str:
    """Return the page."""
    tests = {row: "<br>".join(f"`{one}`" for one in found) for row, found in shown_by_row(TESTS).items()}
    lines = [f"| {row.number} | {row.fault} | {row.behaviour} | {tests.get(row.number, '')} |" for row in ROWS]
    missing = [
        f"| {row.number} | {row.missing} | {row.live or 'None: it does not hold'} |" for row in ROWS if row.missing
    ]
    return _HEAD + "\n".join(lines) + "\n" + _MISSING + "\n".join(missing) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
