"""Runs an image's programs with proot: they have `/opt/ml`, and a host name that resolves, without namespaces.

https://proot-me.github.io. It follows every system call, which costs programs time, and gives them no port of their
own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.plain import ProcessLauncher

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_constructs.local_aws.containers.images import Image
    from mlops_constructs.local_aws.containers.site import ContainerSite

_HOST = "algo-1"


def find_proot() -> str | None:
    """The path of proot on this machine, if it is installed."""
    return shutil.which("proot")


class ProotLauncher(ProcessLauncher):
    """Runs them below proot."""

    def __init__(self, site: ContainerSite, program: str) -> None:
        """Prepare it; `program` is the path of proot."""
        super().__init__(site)
        self._program = program

    def variables(self, image: Image, base: Path, scratch: Path, given: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of a program, with the image's own paths."""
        config = image.config
        path = [f"{config.packages}/bin", config.environment["PATH"], os.environ.get("PATH", os.defpath)]
        return {**config.environment, **given, "PATH": os.pathsep.join(path)}

    def command(self, image: Image, base: Path, scratch: Path, words: Sequence[str]) -> tuple[list[str], Path]:
        """Proot with what it shows, then the program."""
        binds = [f"--bind={source}:{target}" for source, target in _binds(image, base, scratch)]
        return [self._program, *binds, f"--cwd={image.config.directory}", *words], scratch


def _binds(image: Image, base: Path, scratch: Path) -> Iterator[tuple[Path, str]]:
    """Folders and files with their paths for the program; the image's own are copies, which it may change."""
    tree = Path(shutil.copytree(image.tree, scratch / "tree", symlinks=True))
    hosts = scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {_HOST}\n", encoding="utf-8")
    yield hosts, "/etc/hosts"
    yield base, "/opt/ml"
    yield from _outermost(tree, Path("/"))


def _outermost(folder: Path, place: Path) -> Iterator[tuple[Path, str]]:
    """What an image has and this machine has not, as whole folders; of folders that both have, what is in them."""
    for entry in sorted(folder.iterdir()):
        target = place / entry.name
        if entry.is_dir() and not entry.is_symlink() and (target.is_dir() or str(target) in ("/opt", "/opt/ml")):
            yield from _outermost(entry, target)
        else:
            yield entry, str(target)
