"""Every row of docs/reliability.md has a test, or says why none can be, and which call would show it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reliability.rows import ROWS, Row

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shown(generator: ModuleType) -> dict[int, list[str]]:
    found: dict[int, list[str]] = generator.shown_by_row(ROOT / "tests")
    return found


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    specification = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate_reliability.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number:02}")
def test_a_row_has_a_test_or_the_call_that_would_show_it(shown: dict[int, list[str]], row: Row) -> None:
    assert shown.get(row.number) or (row.missing and row.live)
    assert row.fault
    assert row.behaviour
    assert row.missing or not row.live


def test_no_test_names_a_row_that_is_not_there(shown: dict[int, list[str]]) -> None:
    assert [row.number for row in ROWS] == list(range(1, 61))
    assert set(shown) <= {row.number for row in ROWS}


def test_the_page_is_what_the_tests_say(generator: ModuleType) -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), "run: make docs"


def test_a_name_is_seen_with_all_its_rows(generator: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "test_some.py").write_text(
        "def test_03_05_it():\n    pass\n\ndef test_413_is_no_row():\n    pass\n"
    )
    assert generator.shown_by_row(tmp_path) == {
        3: ["inner/test_some::test_03_05_it"],
        5: ["inner/test_some::test_03_05_it"],
    }
