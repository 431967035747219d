"""Start `mlops rehearse` as a person does, and read what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MLOPS = [sys.executable, "-m", "mlops_constructs"]


def start(scratch: Path, *arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.Popen[str]:
    """Start it in a project's folder; every temporary file goes to ``scratch``."""
    return subprocess.Popen(
        [*MLOPS, "rehearse", "--no-docker", *arguments],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(scratch), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A background job of a shell ignores Ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(process: subprocess.Popen[str], moment: str) -> None:
    """Read its lines until one has the text."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if moment in line:
            return
    raise AssertionError(f"it ended before {moment!r}: {seen}")
