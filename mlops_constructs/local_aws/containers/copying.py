"""`COPY` and `ADD`: files of the build context, or of an earlier stage, into the folder of an image's files."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Source:
    """A folder that files are copied from; what `.dockerignore` excludes is not there."""

    def __init__(self, folder: Path, ignored: Callable[[str], bool] = lambda _: False) -> None:
        self._folder, self._ignored = folder, ignored

    def find(self, pattern: str) -> list[Path]:
        """The files and folders that a pattern names, which are not ignored as a whole."""
        name = str(PurePosixPath("/", pattern)).lstrip("/")
        # `..` leads to the root at most, as in Docker.
        parts: list[str] = []
        for part in name.split("/"):
            parts = parts[:-1] if part == ".." else [*parts, *([part] if part not in ("", ".") else [])]
        if not parts:
            return [self._folder]
        found = sorted(self._folder.glob("/".join(parts)))
        plain = self._folder.joinpath(*parts)
        found = [plain] if not found and plain.is_symlink() else found
        return [path for path in found if path.is_dir() or not self.ignores(path)]

    def ignores(self, path: Path) -> bool:
        """Whether a file is excluded."""
        return self._ignored(path.relative_to(self._folder).as_posix())


def copy(source: Source, patterns: Sequence[str], tree: Path, target: str, *, mode: int | None, unpack: bool) -> None:
    """Copy into `tree`, where `target` is an absolute path of the image. Raises `ContainerError`."""
    found = []
    for pattern in patterns:
        matches = source.find(pattern)
        if not matches:
            raise ContainerError(f'"/{pattern.lstrip("/")}": not found')
        found += matches
    if len(found) > 1 and not target.endswith("/"):
        raise ContainerError("with more than one source, the destination must end with '/'")
    is_folder = target.endswith("/") or found[0].is_dir()
    place = inside(tree, target)
    for path in found:
        if path.is_symlink() and not path.is_file():
            # The environment of the Python packages, which is not in the image's folder.
            _copy_file(path, place, mode)
        elif path.is_dir():
            _copy_folder(source, path, place, mode)
        elif unpack and _is_tar(path):
            _unpack(path, place)
        else:
            _copy_file(path, place / path.name if is_folder or place.is_dir() else place, mode)


def inside(tree: Path, path: str) -> Path:
    """The place of a path of the image in the folder of its files; links of the image stay in the image."""
    place = tree
    for part in PurePosixPath(path).parts:
        if part in ("/", ".", ".."):
            continue
        here = Path("/", part)
        if place == tree and here.is_symlink() and not (tree / part).exists():
            # Such as /bin, which leads to /usr/bin on this machine.
            place = inside(tree, str(here.readlink()))
            continue
        place = place / part
        for _ in range(40):
            if not place.is_symlink():
                break
            link = place.readlink()
            place = inside(tree, str(link)) if link.is_absolute() else place.parent / link
    return place


def _copy_folder(source: Source, folder: Path, place: Path, mode: int | None) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for entry in sorted(folder.iterdir()):
        target = place / entry.name
        if entry.is_dir() and not entry.is_symlink():
            if entry.name != ".git" and _has_files(source, entry):
                _copy_folder(source, entry, target, mode)
        elif not source.ignores(entry):
            _copy_file(entry, target, mode)


def _has_files(source: Source, folder: Path) -> bool:
    """Whether a folder is copied: not one of which everything is excluded."""
    entries = list(folder.iterdir())
    return not source.ignores(folder) or any(
        _has_files(source, entry) if entry.is_dir() and not entry.is_symlink() else not source.ignores(entry)
        for entry in entries
    )


def _copy_file(path: Path, target: Path, mode: int | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    shutil.copy2(path, target, follow_symlinks=False)
    if not target.is_symlink():
        target.chmod(mode if mode is not None else 0o755 if path.stat().st_mode & 0o100 else 0o644)


def _is_tar(path: Path) -> bool:
    return path.is_file() and tarfile.is_tarfile(path)


def _unpack(path: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(path, "r:*") as archive:
            archive.extractall(place, filter="tar")
    except (tarfile.TarError, OSError) as error:
        raise ContainerError(f"{os.fspath(path.name)} cannot be unpacked: {error}") from error
