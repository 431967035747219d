"""mlops train and serve with a script: as AWS's image runs it, and what is refused before anything is built."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.test_local import ask
from patience import PATIENCE_SECONDS

from mlops_constructs.cli.main import main
from mlops_constructs.local_aws.ports import ReservedPort

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples" / "script" / "src"
SKLEARN = ["--framework", "sklearn", "--framework-version", "1.9-0"]


@pytest.fixture
def rows(tmp_path: Path) -> list[str]:
    files = {channel: tmp_path / f"{channel}.csv" for channel in ("train", "validation")}
    for file in files.values():
        file.write_text("a,0,1\nb,1,0\n" * 5)
    return [str(file) for file in files.values()]


@pytest.mark.servers
def test_a_script_trains_and_serves(rows: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output = ["--output", str(tmp_path / "ml"), "--no-docker"]
    script = ["--script", str(SOURCE / "train.py"), *SKLEARN]
    assert main(["train", *script, *output, "--data", *rows, "--set", "n-neighbors=1"]) == 0
    assert "validation:accuracy=1.0;" in capfd.readouterr().out
    assert (tmp_path / "ml" / "model" / "code" / "inference.py").is_file()
    port = ReservedPort().number
    command = [sys.executable, "-m", "mlops_constructs", "serve", *script, *output, "--port", str(port)]
    with subprocess.Popen(command, env=dict(os.environ)) as process:
        try:
            # As in AWS, without Accept the response is JSON.
            assert ask(port, b"1,0\n") == '["b"]'
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--framework", "sklearn"], "--framework is for a script: give --script"),
        (["--script", f"{SOURCE}/train.py"], "--script needs --framework and --framework-version"),
        (["--script", f"{SOURCE}/fit.py", *SKLEARN], f"--script {SOURCE}/fit.py: there is no such file"),
        (
            ["--script", f"{SOURCE}/train.py", "--source", f"{ROOT}/docs", *SKLEARN],
            f"--script {SOURCE}/train.py must be in --source {ROOT}/docs",
        ),
        (
            ["--script", f"{SOURCE}/train.py", "--framework", "sklearn", "--framework-version", "1"],
            "the script has 1 problem:\n  version: must be one of ",
        ),
    ],
)
def test_what_cannot_run_is_refused(
    rows: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["train", *options, "--data", *rows, "--output", str(tmp_path / "ml")]) == 1
    assert capsys.readouterr().err.startswith(f"mlops train: {message}")
    assert not (tmp_path / "ml").exists()
