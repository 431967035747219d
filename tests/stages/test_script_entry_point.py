"""The program that runs a script in AWS's image: the script's end is its own, and its source is in the model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

from mlops_constructs import Algorithm
from mlops_constructs._script_source import SOURCE, packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = {
    "train.py": "import os, sys\nprint(os.environ['SM_USER_ENTRY_POINT'], sys.argv[1:])\n",
    "inference.py": "",
    "requirements.txt": "numpy\n",
    "setup.py": "",
    "package/part.py": "",
}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the program as the toolkit does, in the unpacked source."""

    def run(entry_point: str = "train.py", rank: str = "0", **files: str) -> subprocess.Popen[str]:
        source, code, channel = tmp_path / "source", tmp_path / "code", tmp_path / "channel"
        for name, text in {**FILES, **{name.replace("__", "."): text for name, text in files.items()}}.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text)
        script = Algorithm.from_script(entry_point, source=source, framework="sklearn", version="1.9-0").script
        assert script is not None
        channel.mkdir()
        (channel / SOURCE).write_bytes(packed(script, "ml.m5.large").archive)
        with tarfile.open(channel / SOURCE) as bundle:
            bundle.extractall(code)
        (tmp_path / "model").mkdir()
        told = {"SM_MODEL_DIR": str(tmp_path / "model"), "SM_CHANNEL_CODE": str(channel), "LOCAL_RANK": rank}
        return subprocess.Popen(
            [sys.executable, "mlops_entry_point.py", "--trees", "20"],
            cwd=code,
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            text=True,
        )

    return run


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, output


def kept(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_script_runs_and_its_source_is_in_the_model(
    run: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    assert ended(run()) == (0, "train.py ['--trees', '20']\n")
    # Without what an endpoint would try to install.
    assert kept(tmp_path / "model" / "code") == {"train.py", "inference.py", "package/part.py"}


def test_a_shell_script_runs_too(run: Callable[..., subprocess.Popen[str]]) -> None:
    assert ended(run("train.sh", train__sh='echo "$SM_MODULE_NAME" "$@"\n')) == (0, "train --trees 20\n")


def test_a_failure_is_the_scripts_own(run: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    assert ended(run(train__py="raise SystemExit(3)")) == (3, "")
    assert kept(tmp_path / "model") == set()


def test_a_killed_script_has_the_exit_code_of_a_shell(run: Callable[..., subprocess.Popen[str]]) -> None:
    assert ended(run(train__py="import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))[0] == 128 + signal.SIGKILL


def test_a_folder_that_the_script_made_is_left_alone(run: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    made = "import os, pathlib\nfolder = pathlib.Path(os.environ['SM_MODEL_DIR'], 'code')\n"
    made += "folder.mkdir(); (folder / 'mine.py').touch()"
    assert ended(run(train__py=made))[0] == 0
    assert kept(tmp_path / "model") == {"code/mine.py"}


def test_one_process_of_a_host_stores_the_source(run: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    assert ended(run(rank="1"))[0] == 0
    assert kept(tmp_path / "model") == set()


def test_a_stop_reaches_the_script(run: Callable[..., subprocess.Popen[str]]) -> None:
    script = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\nprint('on', flush=True)\n"
    )
    process = run(train__py=f"{script}time.sleep(600)")
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 9
