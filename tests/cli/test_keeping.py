"""``mlops rehearse --resume`` where nothing can be resumed."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.cli.main import main
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.snapshot.file import write
from mlops_constructs.local_aws.snapshot.folder import KeptFolder

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = {"pipeline": "iris-1", "port": 1, "region": "us-east-1", "saved": 0.0}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)
    return folder


def kept(project: Path, **about: object) -> KeptFolder:
    """What a rehearsal of the project has kept, with a snapshot that says nothing."""
    folder = KeptFolder()
    write(folder.file, b"nothing", {**ABOUT, "project": str(project), "workdir": f"{project}-work", **about})
    folder.is_kept = True
    folder.close()
    return folder


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["rehearse", "--resume"]) == 1
    return capsys.readouterr().err


def test_nothing_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys) == (
        f"mlops rehearse: no rehearsal of {project} is kept; `mlops rehearse --keep` keeps one\n"
    )


def test_that_of_another_project_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(project / "other")
    assert f"there is one of {project / 'other'}" in refused(capsys)


def test_one_that_still_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = KeptFolder(kept(project).file.parent)
    assert (
        refused(capsys) == "mlops rehearse: the kept rehearsal still runs: `mlops status PIPELINE --local` finds it\n"
    )
    used.close()


def test_one_that_is_damaged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = kept(project).file
    file.write_bytes(file.read_bytes()[:-1])
    assert refused(capsys) == (
        f"mlops rehearse: {file} is damaged: its checksum is wrong. Rehearse again: mlops rehearse --keep\n"
    )
    file.write_bytes(b"")
    assert "is damaged, or not a snapshot of a local AWS. Rehearse again" in refused(capsys)


def test_one_of_another_version(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = kept(project).file
    magic, head, snapshot = file.read_bytes().split(b"\n", 2)
    written = json.loads(head)
    written["writer"]["library"] = "0.0.1"
    file.write_bytes(b"\n".join([magic, json.dumps(written).encode(), snapshot]))
    said = refused(capsys)
    assert "was written by mlops-constructs 0.0.1 (" in said
    assert said.endswith("Rehearse again: mlops rehearse --keep\n")
    assert file.exists()


def test_one_that_cannot_be_read_is_left(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = kept(project, port=port).file
    assert "the kept rehearsal cannot be resumed (UnpicklingError: " in refused(capsys)
    assert file.exists()


def test_one_whose_port_is_in_use(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        folder = KeptFolder(kept(project, port=port).file.parent)
        about = {**ABOUT, "project": str(project), "workdir": f"{project}-work", "port": port}
        write(folder.file, empty_snapshot(), about)
        folder.close()
        said = refused(capsys)
    assert f"127.0.0.1:{port}: another program uses this port" in said
    assert said.endswith("; the kept rehearsal has this port in its URLs, and needs this one\n")


def empty_snapshot() -> bytes:
    with LocalAws() as aws:
        return aws.snapshot()
