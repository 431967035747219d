"""Every cell of the table of modes and guarantees leads to a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "serving_modes.md").read_text()
MODES = ["Real-time", "Serverless", "Asynchronous", "Batch"]
HEAD, _, *LINES = [line for line in PAGE.partition("## What each mode guarantees")[2].splitlines() if line[:1] == "|"]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in LINES]
CELLS = [pytest.param(cell, id=f"{row[0]} / {mode}") for row in ROWS for mode, cell in zip(MODES, row[1:], strict=True)]


def test_the_table_has_every_mode_and_the_promised_guarantees() -> None:
    assert [cell.strip() for cell in HEAD.strip("|").split("|")] == ["Guarantee", *MODES]
    assert len(ROWS) >= 13


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_leads_to_a_test(cell: str) -> None:
    (answer, file, name), *more = re.findall(r"\[([^\]]+)\]\(([^)#]+)#(test_\w+)\)", cell)
    assert not more
    assert re.split(r"\W", answer)[0] in {"yes", "no", "refused"}
    assert re.search(rf"^def {name}\(", (DOCS / file).read_text(), re.MULTILINE), f"{file} has no {name}"
