"""The page of the roles is made from the policies, and says why each grant is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
specification = importlib.util.spec_from_file_location("generate_security", DOCS / "generate_security.py")
assert specification is not None
assert specification.loader is not None
generator = importlib.util.module_from_spec(specification)
specification.loader.exec_module(generator)


def test_the_page_is_what_the_policies_say() -> None:
    assert generator.PAGE.read_text() == generator.page(), "run `make docs`"
