"""Rules for the folder of a container, checked at synth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import literal
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def directory_problems(directory: Path) -> Iterator[Problem]:
    """Require a folder that an image can be built from; SageMaker asks for no more than its image."""
    if is_token(str(directory)):
        yield from literal("directory", str(directory))
        return
    if not directory.is_dir():
        remedy = "run `mlops init` to get a template, or correct the path"
        yield Problem("directory", "must be a folder", str(directory), remedy)
        return
    if not (directory / "Dockerfile").is_file():
        remedy = "add one; the container/ folder of `mlops init` has one"
        yield Problem("directory", "must contain a file 'Dockerfile'", str(directory), remedy)
