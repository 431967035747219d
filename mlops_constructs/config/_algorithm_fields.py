"""What an algorithm is made of, and the rules for it; ``Algorithm`` has the ways to make one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Problem, under
from ._build import build_problems, repository_problems
from ._container_folder import directory_problems
from ._image_uri import image_problems
from ._part import Part
from ._rules import boolean
from .builtin import BuiltinAlgorithm
from .git import GitRepository
from .script import ScriptAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = ("directory", "codecommit_repository", "git", "image_uri", "built_in", "script")
_NOT_BUILT = ("image_uri", "built_in", "script")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmFields(Part):
    """The fields of ``Algorithm``, which documents each."""

    directory: Path | None = None
    codecommit_repository: str | None = None
    git: GitRepository | None = None
    image_uri: str | None = None
    built_in: BuiltinAlgorithm | None = None
    script: ScriptAlgorithm | None = None
    branch: str = "main"
    ecr_repository_name: str | None = None
    base_image: str | None = None
    retrain_on_new_image: bool = False

    @property
    def accept(self) -> str:
        """Content type of the endpoints' responses to CSV."""
        return "text/csv" if self.built_in is None else self.built_in.accept

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            yield Problem(
                given[1] if given else "directory",
                "needs exactly one of a folder, a repository, an image, a built-in algorithm and a script",
                given,
                "use one of Algorithm.builtin(...) and the Algorithm.from_...(...) methods",
            )
            return
        yield from boolean("retrain_on_new_image", self.retrain_on_new_image)
        part = getattr(self, given[0])
        if isinstance(part, Part):
            yield from under(given[0], part.problems())
        elif given[0] == "image_uri":
            yield from image_problems("image_uri", part)
        elif given[0] == "directory":
            yield from directory_problems(part)
        else:
            yield from repository_problems(given[0], part, r"[\w.\-]{1,100}", "CodeCommit")
        if given[0] not in _NOT_BUILT:
            yield from build_problems(self.branch, self.ecr_repository_name, self.base_image)
