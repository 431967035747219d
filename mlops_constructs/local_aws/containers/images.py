"""Container images of the local AWS: build contexts, each stored under its digest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.config import ImageConfig
from mlops_constructs.local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAMS = ("train", "serve")
_IGNORED_NAMES = frozenset({".git", "__pycache__"})
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class ContainerError(LocalAwsError):
    """An image cannot be built, or one of its programs cannot be run."""


@dataclass(frozen=True, slots=True)
class Image:
    """A built image.

    Attributes:
        digest: `sha256:...` of the context's file names, modes and bytes, and of the build arguments: the same
            files give the same digest.
        folder: The local AWS's own folder of the image.
    """

    digest: str
    folder: Path

    @property
    def context(self) -> Path:
        """The copy of the build context."""
        return self.folder / "context"

    @property
    def tree(self) -> Path:
        """The image's files, each at its path; only where it was built without a Docker engine."""
        return self.folder / "tree"

    @property
    def config(self) -> ImageConfig:
        """The image's configuration; only where it was built without a Docker engine."""
        return ImageConfig.read(self.folder / "config.json")

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

    @contextlib.contextmanager
    def add(self, context: Path, arguments: Sequence[str] = ()) -> Iterator[Image]:
        """Copy a build context, and keep the image if the block ends without an exception; it is complete then.

        In the block the image is in another folder, unless it was built before. Raises `ContainerError` when there is
        no Dockerfile.
        """
        check_context(context)
        digest = context_digest(context, arguments)
        target = self.folder(digest)
        if target.exists():
            yield Image(digest, target)
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            made = Image(digest, Path(scratch) / "image")
            ignore = shutil.ignore_patterns(*_IGNORED_NAMES)
            shutil.copytree(context, made.context, symlinks=True, ignore=ignore)
            yield made
            _rename_unless_there(made.folder, target)

    def get(self, digest: str) -> Image | None:
        """The image with this digest; None when it was not built by this local AWS."""
        target = self.folder(digest)
        return Image(digest, target) if target.exists() else None

    def folder(self, digest: str) -> Path:
        """The folder of an image."""
        return self._directory / digest.removeprefix("sha256:")


def check_context(context: Path) -> None:
    """Raise `ContainerError` when a directory has no Dockerfile."""
    if not (context / "Dockerfile").is_file():
        raise ContainerError(f"there is no Dockerfile in {context}: it must be at the top level of the build context")


def check_programs(tree: Path, config: ImageConfig) -> None:
    """Raise `ContainerError` when a program that SageMaker starts is there, but is not executable."""
    if config.entrypoint:
        return
    folders = [tree / folder.lstrip("/") for folder in config.environment["PATH"].split(":")]
    for name in PROGRAMS:
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is not None and not found.stat().st_mode & 0o100:
            raise ContainerError(
                f"{name} is not executable: run `chmod +x {name}` (and `git update-index --chmod=+x {name}`), "
                f"or run chmod in the Dockerfile"
            )


def context_digest(context: Path, arguments: Sequence[str] = ()) -> str:
    """A digest of the names, modes and bytes of all files in a directory, and of build arguments."""
    total = hashlib.sha256("\0".join(arguments).encode())
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
