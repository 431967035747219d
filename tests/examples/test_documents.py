"""What the documents quote is what runs."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest
from synthesized_programs import PROGRAMS, stack_of

ROOT = Path(__file__).resolve().parents[2]
QUOTE = re.compile(r"<!-- quote: (?P<file>\S+)#(?P<region>\w+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
QUOTES = [(document, match) for document in DOCUMENTS for match in QUOTE.finditer(document.read_text())]


def region(path: Path, name: str) -> str:
    match = re.search(rf"^ *# region: {name}\n(.*?)^ *# endregion", path.read_text(), re.DOTALL | re.MULTILINE)
    assert match, f"{path} has no region {name}"
    return textwrap.dedent(match.group(1))


@pytest.mark.parametrize(
    ("document", "quote"), QUOTES, ids=lambda value: getattr(value, "name", None) or value["region"]
)
def test_a_quote_is_the_file(document: Path, quote: re.Match[str]) -> None:
    assert quote["text"] == region(ROOT / quote["file"], quote["region"])


def test_the_readme_quotes_something() -> None:
    assert len(QUOTES) >= 3


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_synthesizes(program: str) -> None:
    assert "aws_codepipeline" in json.loads((stack_of(program) / "cdk.tf.json").read_text())["resource"]


def test_main_is_short() -> None:
    assert len((ROOT / "main.py").read_text().splitlines()) < 40
