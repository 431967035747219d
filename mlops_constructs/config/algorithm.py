"""The team's own algorithm: where its container comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import is_token, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRED_FILES = ("Dockerfile", "train", "serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """The container that trains and serves. Made by one of the ``from_`` methods.

    Attributes:
        directory: Folder with ``Dockerfile``, ``train`` and ``serve``, or None. Literal.
        branch: Branch of the repository that is built. Literal.
        image: URI of an image that exists already, or None. Reference: may be a token.
    """

    directory: Path | None = None
    branch: str = "main"
    image: str | None = None

    @classmethod
    def from_directory(cls, path: str | Path, *, branch: str = "main") -> Algorithm:
        """Seed a CodeCommit repository from a folder; each push to ``branch`` builds a new image.

        The folder is copied into the repository once, when the repository is made; after that the repository is
        the source of truth.

        Args:
            path: Folder with ``Dockerfile``, ``train`` and ``serve``; relative to the current folder.
            branch: Branch that is seeded and built.
        """
        return cls(directory=Path(path).absolute(), branch=branch)

    @classmethod
    def from_image(cls, uri: str) -> Algorithm:
        """Use an image that exists already; nothing is built.

        Args:
            uri: ``<registry>/<repository>@sha256:<digest>``. A tag works too, but can move under a release.
        """
        return cls(image=uri)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        if self.image is not None:
            if not is_token(self.image):
                yield from matches(
                    "image",
                    self.image,
                    r"[\w.\-/:]+(?:@sha256:[0-9a-f]{64}|:[\w.\-]{1,128})",
                    "must name an image by digest or tag",
                    "use '<registry>/<repository>@sha256:<digest>'",
                )
            return
        yield from matches(
            "branch",
            self.branch,
            r"[A-Za-z0-9][\w./\-]{0,99}",
            "must be a branch name of at most 100 characters",
            "use for example 'main'",
        )
        yield from self._directory_problems()

    def _directory_problems(self) -> Iterator[Problem]:
        if self.directory is None:
            yield Problem(
                "directory",
                "needs a folder or an image",
                None,
                "use Algorithm.from_directory(...) or Algorithm.from_image(...)",
            )
        elif not self.directory.is_dir():
            yield Problem(
                "directory",
                "must be a folder",
                str(self.directory),
                "run `mlops init` to get a template, or correct the path",
            )
        else:
            for name in REQUIRED_FILES:
                if not (self.directory / name).is_file():
                    yield Problem(
                        "directory",
                        f"must hold a file {name!r}",
                        str(self.directory),
                        f"add {name!r}; the container/ folder of `mlops init` has one",
                    )
