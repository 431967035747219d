"""``mlops train`` and ``mlops serve``: the container's programs on local folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

from mlops_constructs.cli.main import main
from mlops_constructs.local_aws.ports import ReservedPort

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTAINER = Path(__file__).parents[2] / "container"
pytestmark = pytest.mark.servers


def write_rows(folder: Path) -> Path:
    file = folder / "flowers.csv"
    file.write_text("".join(f"{'ab'[n % 2]},{n % 2},{n % 5}\n" for n in range(40)))
    return file


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the command has trained; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    assert train(write_rows(folder), folder / "ml", "--set", "n_estimators=3") == 0
    return folder / "ml"


def mlops(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def train(rows: Path, output: Path, *more: str) -> int:
    return mlops(
        "train", "--container", CONTAINER, "--python", sys.executable, "--data", rows, "--output", output, *more
    )


def test_train_leaves_a_model_and_its_evaluation(trained: Path) -> None:
    assert (trained / "model" / "model.joblib").is_file()
    evaluation = json.loads((trained / "output" / "data" / "evaluation.json").read_text())
    assert evaluation["hyperparameters"]["n_estimators"] == 3


def test_failed_training_gives_the_reason(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(rows, tmp_path / "ml", "--set", "n_estimators=many") == 1
    assert "the job failed: hyperparameters: n_estimators must be a whole number" in capsys.readouterr().err


def test_serve_answers_until_it_is_told_to_end(trained: Path) -> None:
    port = ReservedPort().number
    command = ["serve", "--container", CONTAINER, "--python", sys.executable, "--output", trained]
    with subprocess.Popen(
        [sys.executable, "-m", "mlops_constructs", *map(str, command), "--port", str(port)], env=dict(os.environ)
    ) as process:
        try:
            assert ask(port, b"1,0\n0,0\n") == "b\na\n"
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_taken_port_ends_serve_with_the_reason(trained: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ["--container", CONTAINER, "--python", sys.executable, "--output", trained, "--port", port]
        assert mlops("serve", *options) == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in capfd.readouterr().err


def test_ctrl_c_ends_training_as_sagemaker_would(rows: Path, tmp_path: Path) -> None:
    arguments = ["train", "--container", CONTAINER, "--python", sys.executable, "--data", rows]
    arguments += ["--output", tmp_path / "ml", "--set", "n_estimators=1000000"]
    with subprocess.Popen(
        [sys.executable, "-m", "mlops_constructs", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any("40 of 1000000 trees" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "the job failed: stopped by SIGTERM; the model trained so far is saved" in said
    assert (tmp_path / "ml" / "model" / "model.joblib").is_file()


def ask(port: int, body: bytes) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, headers={"Content-Type": "text/csv"})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train", "--data", "nothing"], "nothing does not exist"),
        (["train", "--data", "bare"], "bare is empty; a folder must have a file or folder for each channel"),
        (["train", "--data", "empty/x.csv", "--python", "no-python"], "--python no-python: there is no such program"),
        (["train", "--data", "empty/x.csv", "--set", "n=1", "--set", "=2"], "--set must be NAME=VALUE, got =2"),
        (["train", "--data", "empty/x.csv"], "there is no Dockerfile in"),
        (["serve"], "there is no model in"),
        (["serve", "--port", "0"], "--port must be 1 to 65535, got 0"),
    ],
)
def test_mistake_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    (tmp_path / "empty" / "x.csv").write_text("a,1\n")
    assert mlops(*arguments) == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "ml").exists()


def test_folder_with_other_things_is_left_alone(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "project" / "model" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert train(rows, tmp_path / "project") == 1
    assert "contains other files" in capsys.readouterr().err
    assert mine.exists()


def test_trained_folder_can_be_trained_again(trained: Path, rows: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "ml")
    assert train(rows, tmp_path / "ml", "--set", "n_estimators=2") == 0


def test_folder_of_channels_is_laid_out_and_its_contract_is_told(tmp_path: Path) -> None:
    channels = tmp_path / "channels"
    rows = "".join(f"{n % 2},{n % 5},{'ab'[n % 2]}\n" for n in range(40))
    (channels / "train" / "a").mkdir(parents=True)
    (channels / "train" / "a" / "part-1.csv").write_text(rows)
    (channels / "validation.csv").write_text(rows)
    (channels / "holdout.csv").write_text("a,0,0\n")
    columns = [{"name": "x", "type": "number"}, {"name": "y", "type": "number"}, {"name": "species"}]
    (channels / "contract.json").write_text(json.dumps({"columns": columns, "label": "species"}))
    assert train(channels, tmp_path / "ml", "--set", "n_estimators=2") == 0
    data = tmp_path / "ml" / "input" / "data"
    laid_out = sorted(path.relative_to(data).as_posix() for path in data.rglob("*.csv"))
    assert laid_out == ["holdout/holdout.csv", "train/a/part-1.csv", "validation/validation.csv"]


def test_channel_that_is_given_twice_is_named(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "channels" / "train").mkdir(parents=True)
    (tmp_path / "channels" / "train.csv").write_text(rows.read_text())
    assert train(tmp_path / "channels", tmp_path / "ml") == 1
    assert "has the channel train twice: train and train.csv" in capsys.readouterr().err


def write_shell_container(folder: Path) -> Path:
    """A container as others write it: a folder of programs that is copied, a shell script, /opt/ml, a worker."""
    (folder / "app").mkdir(parents=True)
    (folder / "Dockerfile").write_text(
        "FROM debian\nCOPY app /opt/program\nENV PATH=/opt/program:$PATH\nWORKDIR /opt/program\n"
    )
    (folder / "app" / "train").write_text('#!/bin/sh\ncd "$(dirname "$0")" && sh step.sh\n')
    (folder / "app" / "train").chmod(0o755)
    (folder / "app" / "step.sh").write_text("ls /opt/ml/input/data > /opt/ml/model/channels\nsleep 7531 &\nexit 0\n")
    return folder


def test_container_of_others_is_trained_and_leaves_no_process(rows: Path, tmp_path: Path) -> None:
    channels = tmp_path / "channels"
    (channels / "testing").mkdir(parents=True)
    (channels / "training.csv").write_text(rows.read_text())
    (channels / "testing" / "a.bin").write_bytes(b"\0")
    container = write_shell_container(tmp_path / "container")
    assert mlops("train", "--container", container, "--data", channels, "--output", tmp_path / "ml", "--no-docker") == 0
    assert (tmp_path / "ml" / "model" / "channels").read_text() == "testing\ntraining\n"
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\0007531" in _bytes_of(one)]


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


CHECKPOINTED = """#!/bin/sh
ls /opt/ml/checkpoints
touch /opt/ml/checkpoints/seen
echo x > /opt/ml/model/x
test ! -e /opt/ml/input/data/train/fails.csv
"""


def test_only_an_interrupted_run_of_the_same_code_is_continued(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    container = write_shell_container(tmp_path / "container")
    for name in ("fails", "works"):
        (tmp_path / f"{name}.csv").write_text("a,1\n")

    def run(data: str, code: str = CHECKPOINTED) -> bool:
        """Whether it finds the checkpoint of an earlier run."""
        (container / "app" / "train").write_text(code)
        data = f"train={tmp_path / data}"
        mlops("train", "--container", container, "--data", data, "--output", tmp_path / "ml", "--no-docker")
        return "seen" in capfd.readouterr().out.splitlines()

    assert [run("fails.csv"), run("works.csv"), run("works.csv")] == [False, True, False]
    run("fails.csv")
    assert not run("works.csv", f"{CHECKPOINTED}# changed")


def test_a_path_that_cannot_be_used_is_named(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(rows, Path("/dev/null/ml")) == 1
    assert capsys.readouterr().err.startswith("mlops train: /dev/null/ml")


def test_output_that_nobody_reads_any_more_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "mlops_constructs", "cache"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
