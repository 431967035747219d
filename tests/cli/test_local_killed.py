"""``mlops train`` and ``mlops serve`` get SIGKILL: the container's programs end too, and the next start sweeps."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from container_image import DOCKERFILE
from descendants import alive, descendants
from local_aws.tiny_container import wait_until

from mlops_constructs.local_aws.ports import ReservedPort

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.servers
# A program that takes no notice of a polite request.
STUBBORN = """#!/usr/bin/env python3
import os, signal, time
from http.server import BaseHTTPRequestHandler, HTTPServer

signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("it runs", flush=True)
HTTPServer(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "0"))), BaseHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="k") as made:
        folder = Path(made)
        (folder / "container").mkdir()
        (folder / "tmp").mkdir()
        (folder / "ml" / "model").mkdir(parents=True)
        (folder / "ml" / ".mlops-local").touch()
        (folder / "container" / "Dockerfile").write_text(DOCKERFILE)
        for name in ("train", "serve"):
            (folder / "container" / name).write_text(STUBBORN)
            (folder / "container" / name).chmod(0o755)
        (folder / "train.csv").write_text("a,1\n")
        yield folder


def started(folder: Path, command: str, *more: str) -> subprocess.Popen[str]:
    """Start the command; it runs the program as a process, without a sandbox that would end it."""
    words = [sys.executable, "-m", "mlops_constructs", command, "--python", sys.executable, *more]
    process = subprocess.Popen(
        words, cwd=folder, env={**os.environ, "TMPDIR": str(folder / "tmp")}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any("it runs" in line for line in process.stdout)
    return process


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("train", ["--data", "train=train.csv"]), ("serve", ["--port", str(ReservedPort().number)])],
)
def test_its_program_ends_with_it(folder: Path, command: str, arguments: list[str]) -> None:
    left = set[Path]()
    for _ in range(2):
        with started(folder, command, *arguments) as process:
            below = descendants(process.pid)
            assert any(f"container/{command}" in one or f"program/{command}" in one for one in below.values())
            assert not left & set((folder / "tmp").iterdir()), "it has not swept what the killed one left"
            process.kill()
        assert wait_until(lambda below=below: not alive(below))
        left = set((folder / "tmp").iterdir())
        assert left
