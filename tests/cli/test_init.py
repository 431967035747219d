"""``mlops init``: what a new project is called, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_constructs._payload import payload
from mlops_constructs.cli.init import TASKS, project_name
from mlops_constructs.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("app", "app"),
        ("My project_2", "my-project-2"),
        ("2024", "p-2024"),
        ("日本", "pipeline"),
        ("a" * 40, "a" * 30),
    ],
)
def test_the_project_has_the_name_of_its_folder(folder: str, name: str, tmp_path: Path) -> None:
    assert project_name(folder) == name
    assert main(["init", str(tmp_path / folder)]) == 0
    program = (tmp_path / folder / "main.py").read_text(encoding="utf-8")
    assert f'Pipeline(app, "{name}")' in program
    assert f'MLOpsPipeline(self, "{name}", ' in program
    assert "iris" not in program.lower()
    compile(program, "main.py", "exec")


def test_files_that_exist_are_left_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("README.md", "tests"):
        (tmp_path / name).write_text("mine")
    assert main(["init", str(tmp_path)]) == 0
    assert (
        f"Wrote main.py, cdktf.json, container, .gitignore, requirements.txt to {tmp_path}" in capsys.readouterr().out
    )
    assert {(tmp_path / name).read_text() for name in ("README.md", "tests")} == {"mine"}


@pytest.mark.parametrize("task", ["regression", "text", "image"])
def test_a_task_has_its_own_algorithm_stack_and_data(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "churn"
    assert main(["init", "--task", task, str(folder)]) == 0
    assert capsys.readouterr().out.endswith("Next: mlops rehearse --data data\n")
    program = (folder / "main.py").read_text(encoding="utf-8")
    assert 'ChurnPipeline(app, "churn")' in program
    assert TASKS[task] not in program.lower()
    template = payload("examples/tasks") / task
    assert (folder / "container" / "algorithm.py").read_text() == (template / "algorithm.py").read_text()
    assert (folder / "container" / "sagemaker_contract" / "tables.py").is_file()
    assert {"holdout.csv"} < {path.name for path in (folder / "data").iterdir()}
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "mlops rehearse --data data    #" in readme
    assert readme.endswith((template / "DATA.md").read_text(encoding="utf-8"))


def test_data_that_exists_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    assert main(["init", "--task", "image", str(tmp_path)]) == 1
    assert "has data already; nothing was written" in capsys.readouterr().err
    assert main(["init", str(tmp_path)]) == 0


@pytest.mark.parametrize("task", [task for task in TASKS if task != "classification"])
def test_the_requirements_of_a_task_are_those_of_the_container_and_its_own(task: str) -> None:
    for name in ("requirements.txt", "requirements.lock"):
        own, shared = payload("examples/tasks") / task / name, payload("container") / name
        if own.exists():
            added = {*own.read_text().splitlines()} - {*shared.read_text().splitlines()}
            assert {*shared.read_text().splitlines()} < {*own.read_text().splitlines()}
            assert added
            assert all(line.startswith(("pillow==", "    --hash=")) for line in added)


@pytest.mark.parametrize("inside", ["", "project"])
def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], inside: str) -> None:
    (tmp_path / "afile").write_text("mine")
    assert main(["init", str(tmp_path / "afile" / inside)]) == 1
    message = capsys.readouterr().err
    assert message.startswith("mlops init: cannot write to ")
    assert message.endswith("there is a file in its place; give a folder\n")


def test_a_folder_that_cannot_be_written_to_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "/proc/project"]) == 1
    assert capsys.readouterr().err == "mlops init: cannot write to /proc/project: No such file or directory\n"
