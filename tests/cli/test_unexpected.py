"""A command that fails for a reason that nobody foresaw tells what happened and what to do, without a traceback."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from mlops_constructs import cli
from mlops_constructs.cli import main as command
from mlops_constructs.cli.synth import synthesize
from mlops_constructs.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[BaseException], int]:
    def run(error: BaseException) -> int:
        def main() -> int:
            raise error

        monkeypatch.setattr(command, "main", main)
        return cli.program()

    monkeypatch.setattr(sys, "argv", ["mlops", "status", "iris"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MLOPS_TRACEBACK", raising=False)
    return run


def test_it_is_told_in_a_sentence_with_the_file_of_its_traceback(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert failing(KeyError("Versions")) == 70
    told = capsys.readouterr().err
    (kept,) = tmp_path.iterdir()
    assert told.startswith("mlops status: unexpected KeyError: 'Versions'\n")
    assert f"report it with the traceback in {kept} " in told
    assert "Traceback" not in told
    assert "Traceback" in kept.read_text(encoding="utf-8")


def test_the_traceback_is_shown_on_request(
    failing: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MLOPS_TRACEBACK", "1")
    assert failing(KeyError("Versions")) == 70
    assert "Traceback" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_for_its_traceback_it_is_told_how_to_see_it(
    failing: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert failing(KeyError("Versions")) == 70
    assert "with the traceback, which MLOPS_TRACEBACK=1 shows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "told", "code"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device; free some disk space", 1),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "Too many open files; increase the limit: ulimit -n", 1),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "a.csv"), "a.csv: Permission denied", 1),
        (MemoryError(), "Cannot allocate memory; close other programs", 1),
        (OSError("of another kind"), "unexpected OSError: of another kind", 70),
    ],
)
def test_an_error_of_the_operating_system_says_what_to_do(
    failing: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    error: OSError | MemoryError,
    told: str,
    code: int,
) -> None:
    assert failing(error) == code
    assert capsys.readouterr().err.startswith(f"mlops status: {told}")


FULL = """
class Held:
    def __del__(self):
        raise AttributeError("_process")

held = Held()
raise OSError(28, "No space left on device")
"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (FULL, "No space left on device; free some disk space, or set TMPDIR to a folder that has some"),
        ("import sys; sys.exit(3)", "it wrote nothing to standard error; run it yourself"),
    ],
    ids=["full", "silent"],
)
def test_an_app_that_fails_is_told_with_what_to_do(tmp_path: Path, program: str, told: str) -> None:
    app = tmp_path / "app.py"
    app.write_text(program, encoding="utf-8")
    with pytest.raises(MlopsError) as caught:
        synthesize(f"{sys.executable} {app}", tmp_path, None)
    assert str(caught.value).splitlines()[1].startswith(told)
    assert "Traceback" not in str(caught.value)


def test_what_python_ignored_afterwards_does_not_hide_the_apps_own_error(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(FULL.replace('OSError(28, "No space left on device")', 'RuntimeError("mine")'), encoding="utf-8")
    with pytest.raises(MlopsError) as caught:
        synthesize(f"{sys.executable} {app}", tmp_path, None)
    assert str(caught.value).endswith("\nRuntimeError: mine")
