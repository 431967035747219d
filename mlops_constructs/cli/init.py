"""``mlops init``: start a project from the template of a task."""

from __future__ import annotations

import re
import shutil
import zipfile
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
# Task to the name of the pipeline in its template.
TASKS = {"classification": "iris", "regression": "diabetes", "text": "tickets", "image": "digits"}


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
    parser.add_argument(
        "--task", choices=TASKS, default="classification", help="what the algorithm predicts (default: classification)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the template; never overwrite a file."""
    folder: Path = options.folder
    try:
        made = _write(folder, project_name(folder.resolve().name), options.task)
    except OSError as error:
        reason = "there is a file in its place; give a folder" if _is_below_file(folder) else error.strerror
        raise MlopsError(f"cannot write to {folder}: {reason}") from None
    data = " --data data" if "data" in made else ""
    print(f"Wrote {', '.join(made)} to {folder.resolve()}. Next: mlops rehearse{data}")
    return 0


def project_name(folder: str) -> str:
    """The name of a folder as that of a stack and of a pipeline: `My project_2` becomes `my-project-2`."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    if not words:
        return "pipeline"
    return (words if words[0].isalpha() else f"p-{words}")[:_MAX_NAME].strip("-")


def _write(folder: Path, name: str, task: str) -> list[str]:
    template = None if task == "classification" else payload("examples/tasks") / task
    shown = _SHOWN if template is None else (*_SHOWN, "data")
    taken = [one for one in shown if (folder / one).exists()]
    if taken:
        raise MlopsError(f"{folder.resolve()} has {', '.join(taken)} already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(payload("container"), folder / "container", ignore=shutil.ignore_patterns("__pycache__"))
    if template is not None:
        _lay_over(template, folder)
    main = payload("main.py") if template is None else template / "main.py"
    _copy(main, folder / "main.py", lambda text: _named(text, name, TASKS[task]))
    _copy(payload("cdktf.json"), folder / "cdktf.json", lambda text: text.replace("mlops-constructs-iris", name))
    supporting = [one for one in _SUPPORTING if not (folder / one).exists()]
    for one in supporting:
        _copy(_OWN / _SUPPORTING[one], folder / one, lambda text: text.replace("NAME", name))
    if template is not None and "README.md" in supporting:
        _tell_of_data(folder / "README.md", template / "DATA.md")
    if not (folder / "tests").exists():
        (folder / "tests").mkdir()
        _copy(_OWN / _TEST, folder / _TEST, str)
        supporting.append("tests")
    return [*shown, *supporting]


def _lay_over(template: Path, folder: Path) -> None:
    """Replace the algorithm and, where it has its own, the requirements; add the data."""
    for name in ("algorithm.py", "requirements.txt", "requirements.lock"):
        if (template / name).exists():
            shutil.copyfile(template / name, folder / "container" / name)
    if (template / "data").is_dir():
        shutil.copytree(template / "data", folder / "data")
        return
    with zipfile.ZipFile(template / "data.zip") as packed:
        packed.extractall(folder / "data")


def _tell_of_data(readme: Path, data: Path) -> None:
    text = readme.read_text(encoding="utf-8").replace("--data FOLDER  ", "--data data    ")
    text = text.replace("mlops rehearse            ", "mlops rehearse --data data")
    readme.write_text(text + data.read_text(encoding="utf-8"), encoding="utf-8")


def _named(program: str, name: str, word: str) -> str:
    """The template's program, with the names of a project."""
    class_name = "".join(part.capitalize() for part in name.split("-")) + "Pipeline"
    lines = [line for line in program.splitlines(keepends=True) if not line.startswith(("# region", "# endregion"))]
    text = "".join(lines).replace(f'"{word}"', f'"{name}"').replace(word.capitalize(), class_name)
    text = text.replace(f"The stack with the pipeline {word}", f"The stack with the pipeline {name}")
    return text.replace("The iris pipeline: a team writes no more than this.", f"The stack with the pipeline {name}.")


def _copy(source: Path, target: Path, change: Callable[[str], str]) -> None:
    target.write_text(change(source.read_text(encoding="utf-8")), encoding="utf-8")


def _is_below_file(folder: Path) -> bool:
    return any(one.is_file() for one in (folder, *folder.parents))
