"""Container images of the local AWS: build contexts, each stored under its digest."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRED_FILES = ("Dockerfile", "train", "serve")
PROGRAMS = ("train", "serve")
_IGNORED_NAMES = frozenset({".git", "__pycache__"})
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class ContainerError(LocalAwsError):
    """An image cannot be built, or one of its programs cannot be run."""


@dataclass(frozen=True, slots=True)
class Image:
    """A built image.

    Attributes:
        digest: `sha256:...` of the context's file names, modes and bytes: the same files give the same digest.
        context: The local AWS's own copy of the build context.
    """

    digest: str
    context: Path

    @property
    def name(self) -> str:
        """The image's name in the Docker engine."""
        return f"local-aws:{self.digest.removeprefix('sha256:')[:12]}"

    def manifest(self) -> str:
        """The image's Docker v2 manifest, as a registry stores it."""
        size = sum(file.stat().st_size for _, file in _files(self.context) if file.is_file())
        layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}
        config = {"mediaType": "application/vnd.docker.container.image.v1+json"}
        blob = {"size": size, "digest": self.digest}
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": {**config, **blob},
                "layers": [{**layer, **blob}],
            },
            sort_keys=True,
        )


def digest_of(text: str) -> str:
    """The registry's digest of a manifest."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class ImageStore:
    """The images built so far, one directory each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, context: Path) -> Image:
        """Check and copy a build context. Raises `ContainerError` when it is not a SageMaker container's."""
        check_context(context)
        digest = context_digest(context)
        target = self._path(digest)
        if not target.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
                copy = Path(scratch) / "context"
                ignore = shutil.ignore_patterns(*_IGNORED_NAMES)
                shutil.copytree(context, copy, symlinks=True, ignore=ignore)
                for program in PROGRAMS:
                    (copy / program).chmod(0o755)
                _rename_unless_there(copy, target)
        return Image(digest, target)

    def get(self, digest: str) -> Image | None:
        """The image with this digest; None when it was not built by this local AWS."""
        target = self._path(digest)
        return Image(digest, target) if target.exists() else None

    def _path(self, digest: str) -> Path:
        return self._directory / digest.removeprefix("sha256:")


def check_context(context: Path) -> None:
    """Raise `ContainerError` when a directory lacks what a SageMaker container needs; the error names it."""
    for name in REQUIRED_FILES:
        if not (context / name).is_file():
            raise ContainerError(
                f"{name} is missing from the container's directory: "
                f"it must contain {', '.join(REQUIRED_FILES)} at its top level; add {name}"
            )
    dockerfile = (context / "Dockerfile").read_text(encoding="utf-8", errors="replace")
    for name in PROGRAMS:
        if not (context / name).stat().st_mode & 0o100 and "chmod" not in dockerfile:
            raise ContainerError(
                f"{name} is not executable: run `chmod +x {name}` (and `git update-index --chmod=+x {name}`), "
                f"or run chmod in the Dockerfile"
            )


def context_digest(context: Path) -> str:
    """A digest of the names, modes and bytes of all files in a directory."""
    total = hashlib.sha256()
    for name, file in _files(context):
        if file.is_symlink():
            mode, content = "link", str(file.readlink()).encode()
        else:
            mode = "755" if file.stat().st_mode & 0o100 else "644"
            content = file.read_bytes()
        total.update(f"{mode} {len(name.encode())}:{name} {len(content)}:".encode())
        total.update(content)
    return f"sha256:{total.hexdigest()}"


def _files(directory: Path) -> Iterator[tuple[str, Path]]:
    names = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if (path.is_symlink() or path.is_file()) and not _IGNORED_NAMES.intersection(path.relative_to(directory).parts)
    }
    return iter(sorted(names.items()))


def _rename_unless_there(source: Path, target: Path) -> None:
    """Move a finished directory to its place; when another thread was faster, keep that thread's directory."""
    try:
        source.rename(target)
    except OSError:
        if not target.exists():
            raise
