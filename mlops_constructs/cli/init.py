"""``mlops init``: start a project from the iris template."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from .._payload import payload
from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse

_TEMPLATE = ("main.py", "cdktf.json", "container")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("init", help="copy main.py, cdktf.json and container/ into a folder")
    parser.add_argument("folder", nargs="?", default=Path(), type=Path, help="default: the current folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy the template; never overwrite a file."""
    folder: Path = options.folder
    taken = [name for name in _TEMPLATE if (folder / name).exists()]
    if taken:
        raise MlopsError(f"{folder.resolve()} has {', '.join(taken)} already; nothing was copied")
    folder.mkdir(parents=True, exist_ok=True)
    for name in _TEMPLATE:
        source = payload(name)
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    print(f"Copied {', '.join(_TEMPLATE)} to {folder.resolve()}. Next: mlops rehearse")
    return 0
