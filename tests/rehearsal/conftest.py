"""Shared by the rehearsal's tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that gets every temporary file of the command; short, as a provider's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="r") as folder:
        yield Path(folder)
