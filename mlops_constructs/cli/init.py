"""``mlops init``: start a project from the iris template."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from .._payload import payload
from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

# Beside the files of the payload; a `.gitignore` would apply to the template itself.
_OWN = Path(__file__).parent / "_project"
_SHOWN = ("main.py", "cdktf.json", "container")
_SUPPORTING = {".gitignore": "gitignore", "README.md": "README.md", "requirements.txt": "requirements.txt"}
_TEST = "tests/test_main.py"
_MAX_NAME = 30


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "init",
        help="start a project: main.py, container/, a test, README.md and .gitignore",
        description="Start a project in a new or existing folder. The pipeline gets the folder's name. A README.md, "
        ".gitignore, requirements.txt or tests/ that exists is left as it is.",
        epilog="example: mlops init churn && cd churn && mlops rehearse",
    )
    parser.add_argument("folder", nargs="?", default=Path(), type=Path, help="default: the current folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the template; never overwrite a file."""
    folder: Path = options.folder
    try:
        made = _write(folder, project_name(folder.resolve().name))
    except OSError as error:
        reason = "there is a file in its place; give a folder" if _is_below_file(folder) else error.strerror
        raise MlopsError(f"cannot write to {folder}: {reason}") from None
    print(f"Wrote {', '.join(made)} to {folder.resolve()}. Next: mlops rehearse")
    return 0


def project_name(folder: str) -> str:
    """The name of a folder as that of a stack and of a pipeline: `My project_2` becomes `my-project-2`."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    if not words:
        return "pipeline"
    return (words if words[0].isalpha() else f"p-{words}")[:_MAX_NAME].strip("-")


def _write(folder: Path, name: str) -> list[str]:
    taken = [one for one in _SHOWN if (folder / one).exists()]
    if taken:
        raise MlopsError(f"{folder.resolve()} has {', '.join(taken)} already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(payload("container"), folder / "container", ignore=shutil.ignore_patterns("__pycache__"))
    _copy(payload("main.py"), folder / "main.py", lambda text: _named(text, name))
    _copy(payload("cdktf.json"), folder / "cdktf.json", lambda text: text.replace("mlops-constructs-iris", name))
    supporting = [one for one in _SUPPORTING if not (folder / one).exists()]
    for one in supporting:
        _copy(_OWN / _SUPPORTING[one], folder / one, lambda text: text.replace("NAME", name))
    if not (folder / "tests").exists():
        (folder / "tests").mkdir()
        _copy(_OWN / _TEST, folder / _TEST, str)
        supporting.append("tests")
    return [*_SHOWN, *supporting]


def _named(program: str, name: str) -> str:
    """The template's program, with the names of a project."""
    class_name = "".join(word.capitalize() for word in name.split("-")) + "Pipeline"
    lines = [line for line in program.splitlines(keepends=True) if not line.startswith(("# region", "# endregion"))]
    text = "".join(lines).replace('"iris"', f'"{name}"').replace("Iris", class_name)
    return text.replace("The iris pipeline: a team writes no more than this.", f"The stack with the pipeline {name}.")


def _copy(source: Path, target: Path, change: Callable[[str], str]) -> None:
    target.write_text(change(source.read_text(encoding="utf-8")), encoding="utf-8")


def _is_below_file(folder: Path) -> bool:
    return any(one.is_file() for one in (folder, *folder.parents))
