"""The wheel carries the payload and works from an empty folder."""

from __future__ import annotations

import os
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest
from wheel_install import ROOT, install_wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(tmp_path_factory.mktemp("wheel"))


def run(*command: object, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_the_wheel_that_is_imported(programs: Path, tmp_path: Path) -> None:
    where = run(programs / "python", "-c", "import mlops_constructs; print(mlops_constructs.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where


def test_it_holds_every_file_of_lambdas_container_and_templates(programs: Path) -> None:
    (wheel,) = (programs.parents[1] / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as bundle:
        held = set(bundle.namelist())
    for folder in ("lambdas", "container", "examples/tasks"):
        tracked = run("git", "ls-files", folder, cwd=ROOT).split()
        assert tracked
        missing = [name for name in tracked if f"mlops_constructs/_payload_files/{name}" not in held]
        assert missing == []


def test_programs_keep_their_executable_bit(programs: Path, tmp_path: Path) -> None:
    run(programs / "mlops", "init", tmp_path / "project", cwd=tmp_path)
    for name in ("train", "serve"):
        assert os.access(tmp_path / "project" / "container" / name, os.X_OK), name


def test_a_new_project_passes_its_own_test_and_git_ignores_what_is_made(programs: Path, tmp_path: Path) -> None:
    run("git", "init", "--quiet", "My churn", cwd=tmp_path)
    project = tmp_path / "My churn"
    run(programs / "mlops", "init", cwd=project)
    run("git", "add", ".", cwd=project)
    before = run("git", "status", "--short", cwd=project)
    run(programs / "python", "-m", "pytest", "--basetemp=cdktf.out", cwd=project)
    stack = next(project.glob("cdktf.out/*/stacks/my-churn/cdk.tf.json"))
    assert stack.read_text().count("aws_lambda_function") > 7
    assert run("git", "status", "--short", cwd=project) == before


def test_data_is_checked_with_the_functions_of_the_wheel(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,1\nb,2\n")
    assert "2 rows inspected. No problems." in run(programs / "mlops", "data", "check", "rows.csv", cwd=tmp_path)


def test_init_overwrites_nothing(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("mine")
    done = subprocess.run([programs / "mlops", "init"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "has main.py already; nothing was written" in done.stderr
    assert (tmp_path / "main.py").read_text() == "mine"
    assert not (tmp_path / "container").exists()
