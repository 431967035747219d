"""The documents name only faults that exist, and all of them."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.local_aws.faults.kinds import KINDS, make_fault

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def generator() -> ModuleType:
    specification = importlib.util.spec_from_file_location("generate_faults", ROOT / "docs" / "generate_faults.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_has_the_faults_that_there_are() -> None:
    made = generator()
    text = made.PAGE.read_text(encoding="utf-8")
    assert text == made.page(text), "run: make docs"
    assert all(f"| `{name}` |" in text for name in KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_the_example_of_a_fault_is_one(name: str) -> None:
    example = KINDS[name].example
    assert example.partition(":")[0] == name
    assert make_fault(example, (), {}, Random(0)).text == example


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_fault_of_a_command_in_a_page_is_one(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for command in re.findall(r"mlops rehearse [^`\n]*--fault [^`\n]+", text):
        words = shlex.split(command)
        for word, after in itertools.pairwise(words):
            if word == "--fault" and "[" not in after and "NAME" not in after:
                make_fault(after, (), {}, Random(0))
