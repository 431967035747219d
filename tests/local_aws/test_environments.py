"""Virtual environments are made once, wholly or not at all, and again when anything that they depend on changes."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.containers import environments
from mlops_constructs.local_aws.processes import ChildProcesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "0a1b2c3d"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/local-aws/environments"


def make(log: Callable[[str], object] = lambda _: None) -> environments.PythonEnvironment:
    with environments.environment(KEY, ChildProcesses(), log, with_pip=False) as made:
        return made


def test_a_new_environment_is_to_be_filled_and_an_old_one_is_not(cache: Path) -> None:
    assert make().is_new
    assert not make(pytest.fail).is_new
    assert (cache / KEY / "bin" / "python").exists()


def test_an_installation_that_fails_leaves_nothing(cache: Path) -> None:
    def fail() -> None:
        with environments.environment(KEY, ChildProcesses(), lambda _: None, with_pip=False):
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        fail()
    assert list(cache.iterdir()) == []
    assert make().is_new


def test_scripts_name_their_final_interpreter(cache: Path) -> None:
    make()
    assert ".part-" not in (cache / KEY / "bin" / "activate").read_text()


def test_python_is_no_link_to_a_program_that_the_image_replaces(cache: Path) -> None:
    make()
    assert not (cache / KEY / "bin" / "python").resolve().is_relative_to("/usr/bin")
    assert not (cache / KEY / "bin" / "python").is_symlink()


def test_two_at_a_time_make_it_once(cache: Path) -> None:
    lines: list[str] = []
    threads = [threading.Thread(target=make, args=(lines.append,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([line for line in lines if "creating" in line]) == 1
    assert [entry.name for entry in cache.iterdir()] == [KEY]


def test_one_that_another_process_makes_is_waited_for(cache: Path) -> None:
    lines: list[str] = []
    waiting = threading.Thread(target=make, args=(lines.append,))
    with environments._alone(cache / KEY):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        (cache / KEY / "bin").mkdir(parents=True)
        (cache / KEY / "bin" / "python").touch()
    waiting.join(PATIENCE_SECONDS)
    assert lines == []
    assert (cache / KEY / "bin" / "python").read_bytes() == b""


PIP = "pip install -r requirements.txt"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "package").mkdir(parents=True)
    (folder / "requirements.txt").write_text("numpy\n-r more/extra.txt\n")
    (folder / "more").mkdir()
    (folder / "more" / "extra.txt").write_text("scipy\n")
    (folder / "train.py").write_text("print(1)\n")
    (folder / "package" / "__init__.py").write_text("")
    return folder


@pytest.mark.parametrize("name", ["requirements.txt", "more/extra.txt"])
def test_a_change_of_the_packages_makes_another_environment(context: Path, name: str) -> None:
    before = environments.packages_key(context, [PIP])
    (context / name).write_text("pandas\n")
    assert environments.packages_key(context, [PIP]) != before


def test_a_change_of_the_code_does_not(context: Path) -> None:
    before = environments.packages_key(context, [PIP])
    (context / "train.py").write_text("print(2)\n")
    assert environments.packages_key(context, [PIP]) == before
    assert environments.packages_key(context, ["pip install numpy"]) != before


@pytest.mark.parametrize("command", ["pip install .", "pip install ./package", "pip install -e .[gpu]"])
def test_a_change_of_an_installed_folder_does(context: Path, command: str) -> None:
    before = environments.packages_key(context, [command])
    (context / "package" / "__init__.py").write_text("changed = True\n")
    assert environments.packages_key(context, [command]) != before


def test_a_command_that_fails_is_told_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(environments.ContainerError, match=r"sh -c .* ended with exit code 3:\nno such package"):
        environments.run(["sh", "-c", "echo no such package; exit 3"], tmp_path, ChildProcesses(), lambda _: None)
