"""``mlops cache``: what it shows, what it deletes, and what it leaves because a process uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_constructs.cli.main import main
from mlops_constructs.local_aws.scratch import ScratchFolder
from mlops_constructs.local_aws.snapshot.file import write
from mlops_constructs.local_aws.snapshot.folder import KeptFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDS = """
from mlops_constructs.local_aws.scratch import ScratchFolder
from mlops_constructs.local_aws.user_cache import hold
hold("used")
print(ScratchFolder("local-aws-").path, flush=True)
input()
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with three environments and a provider."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    for name in ("used", "new", "old", "old.part-x"):
        package = tmp_path / "cache/local-aws/environments" / name / "lib/python3.11/site-packages/numpy-2.3.dist-info"
        package.mkdir(parents=True)
        (package / "METADATA").write_bytes(b"x" * 10_000)
    (tmp_path / "cache/mlops-constructs/terraform-plugins/registry/hashicorp/aws/5.100.0").mkdir(parents=True)
    (tmp_path / "cache/mlops-constructs/jsii").mkdir()
    month_ago = time.time() - 30 * 86_400
    os.utime(tmp_path / "cache/local-aws/environments/old", (month_ago, month_ago))
    return tmp_path / "cache"


@pytest.fixture
def user(cache: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that uses an environment, and its temporary folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "TMPDIR": str(tmp_path / "tmp")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[dict[str, Any]]]:
    assert main(["cache", *arguments, "--json"]) == 0
    found: dict[str, list[dict[str, Any]]] = json.loads(capsys.readouterr().out)
    return found


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [Path(entry["path"]).name for entry in entries]


def test_everything_is_shown_with_its_size(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = shown(capsys)["entries"]
    assert names(entries) == ["new", "old", "old.part-x", "used", "5.100.0", "jsii"]
    assert entries[0]["what"] == "Python environment: numpy"
    assert 10_000 <= entries[0]["bytes"] < 50_000
    assert entries[4]["what"] == "Terraform provider aws 5.100.0"
    assert main(["cache"]) == 0
    assert f"{cache / 'local-aws/environments/old'}  (Python environment: numpy; unused for 30 days)" in (
        capsys.readouterr().out
    )


def test_what_is_in_use_and_what_is_new_is_left(
    cache: Path, user: tuple[subprocess.Popen[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cleared = shown(capsys, "clear", "--older-than", "14")
    assert names(cleared["deleted"]) == ["old"]
    cleared = shown(capsys, "clear")
    assert (names(cleared["deleted"]), names(cleared["in_use"])) == (["new", "old.part-x", "5.100.0", "jsii"], ["used"])
    assert names(shown(capsys)["entries"]) == ["used"]


def test_the_folder_of_a_killed_process_is_deleted_and_none_of_a_living_one(
    user: tuple[subprocess.Popen[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    process, folder = user
    (folder / "inside").mkdir()
    mine = ScratchFolder("local-aws-")
    assert folder not in [Path(entry["path"]) for entry in shown(capsys, "clear")["deleted"]]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert names(shown(capsys, "clear")["deleted"]) == [folder.name, "used"]
    assert not folder.exists()
    assert mine.path.is_dir()
    mine.remove()
    assert not mine.path.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--older-than", "3"], "--older-than goes with clear"),
        (["clear", "--older-than", "-1"], "--older-than must be 0 days or more, got -1"),
    ],
)
def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str) -> None:
    assert main(["cache", *arguments]) == 1
    assert reason in capsys.readouterr().err


def test_a_kept_rehearsal_is_shown_and_deleted_unless_it_runs(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = KeptFolder()
    write(folder.file, b"", {"pipeline": "iris-1", "project": "/home/me/iris", "saved": 0.0})
    folder.is_kept = True
    home = folder.file.parent
    assert main(["cache"]) == 0
    assert f"{home}  (kept rehearsal of iris-1: mlops rehearse --resume in /home/me/iris;" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert home.exists()
    folder.close()
    assert main(["cache", "clear"]) == 0
    assert not home.exists()
