"""``mlops init``: what a new project is called, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_constructs.cli.init import project_name
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
