"""Rules for the folder of a container, checked at synth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import is_token, literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUIRED_FILES = ("Dockerfile", "train", "serve")


def directory_problems(directory: Path) -> Iterator[Problem]:
    """Require a folder with the programs that SageMaker runs."""
    if is_token(str(directory)):
        yield from literal("directory", str(directory))
        return
    if not directory.is_dir():
        remedy = "run `mlops init` to get a template, or correct the path"
        yield Problem("directory", "must be a folder", str(directory), remedy)
        return
    for name in REQUIRED_FILES:
        if not (directory / name).is_file():
            yield Problem(
                "directory",
                f"must contain a file {name!r}",
                str(directory),
                f"add {name!r}; the container/ folder of `mlops init` has one",
            )
