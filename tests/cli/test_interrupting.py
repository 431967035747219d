"""Ctrl-C at the `mlops` command: it is never lost, and never breaks the clean-up."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from patience import PATIENCE_SECONDS

from mlops_constructs import cli
from mlops_constructs.cli import main as command
from mlops_constructs.cli.main import interruptible

IN_A_FINALIZER = """
import signal, time
from mlops_constructs.cli.main import interruptible

class Last:
    def __del__(self):
        signal.raise_signal(signal.NAME)

try:
    with interruptible():
        Last()
        time.sleep(3600)
        print("lost")
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_one_that_comes_while_a_finalizer_runs_is_not_lost(name: str) -> None:
    program = IN_A_FINALIZER.replace("NAME", name)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


def test_a_second_one_does_not_break_the_clean_up_and_a_third_one_does() -> None:
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_one_before_the_command_has_begun_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "main", interrupted)
    assert cli.program() == 130
    assert capsys.readouterr().err == "mlops: interrupted\n"


DURING_THE_IMPORTS = """
import builtins, signal
from mlops_constructs.cli import program

imports = builtins.__import__

def interrupted(name, *rest, **named):
    if name == "main":
        signal.raise_signal(signal.SIGINT)
    return imports(name, *rest, **named)

builtins.__import__ = interrupted
program()
"""


def test_one_during_the_imports_ends_the_command_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", DURING_THE_IMPORTS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "mlops: interrupted\n")
