"""The page of choices is made from the code, and the code says what every choice is."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mlops_constructs import config

DOCS = Path(__file__).resolve().parents[2] / "docs"
specification = importlib.util.spec_from_file_location("generate_configuration", DOCS / "generate_configuration.py")
assert specification is not None
assert specification.loader is not None
generator = importlib.util.module_from_spec(specification)
sys.modules[specification.name] = generator
specification.loader.exec_module(generator)
CLASSES = [
    getattr(config, name)
    for name in config.__all__
    if name != "PipelineConfig" and dataclasses.is_dataclass(getattr(config, name))
]


def test_the_page_is_what_the_docstrings_say() -> None:
    assert generator.PAGE.read_text() == generator.page(), "run `make docs`"


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.__name__)
def test_every_choice_is_explained_and_nothing_else(one: type) -> None:
    assert set(generator._entries(inspect.getdoc(one))) == {field.name for field in dataclasses.fields(one)}
    assert all(row.text and row.type and row.default for row in generator.rows_of(one))


@dataclass(frozen=True)
class Example:
    """An example.

    Attributes:
        told: Said, in more
            than one line.
    """

    told: int = 3
    forgotten: str | None = None
    made: dict[str, str] = field(default_factory=dict)
    named: str = field(default="x", kw_only=True)


def test_a_choice_that_is_not_explained_is_seen() -> None:
    assert generator.rows_of(Example) == [
        generator.Row("told", "int", "3", "Said, in more than one line."),
        generator.Row("forgotten", "str | None", "None", ""),
        generator.Row("made", "dict[str, str]", "{}", ""),
        generator.Row("named", "str", "'x'", ""),
    ]


def test_every_argument_of_the_construct_is_explained() -> None:
    section = generator.PAGE.read_text().partition("## MLOpsPipeline")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) > 10
    assert not [row for row in rows if row.endswith("|  |")]
