#!/usr/bin/env python3
"""Write requirements.lock: the packages of requirements.txt for the image's Python version, with file hashes.

Run it after every change of requirements.txt, on Linux, with the image's Python version: ``python3.12 lock.py``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# SageMaker's instances are x86-64 or Graviton. One lock file has the hashes for both.
PROCESSORS = ("x86_64", "aarch64")
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
HEADER = """# Written by lock.py from requirements.txt, for Python {python} on Linux. Do not edit.
"""


def main() -> None:
    """Resolve the packages with pip for each processor architecture, and write the lock file."""
    text = (HERE / "Dockerfile").read_text()
    match = re.search(r"^ARG BASE_IMAGE=\S+/python:(\d+\.\d+)", text, re.MULTILINE)
    if match is None:
        sys.exit("lock.py: BASE_IMAGE in the Dockerfile contains no Python version")
    python = match[1]
    # pip evaluates the python_version markers in requirements.txt for the Python that runs it.
    if python != f"{sys.version_info.major}.{sys.version_info.minor}" or sys.platform != "linux":
        sys.exit(f"lock.py: run this on Linux with Python {python}")
    locked: dict[str, set[str]] = {}
    for processor in PROCESSORS:
        for name, file_hash in _resolved(processor).items():
            locked.setdefault(name, set()).add(file_hash)
    lines = [HEADER.format(python=python)]
    for name, hashes in sorted(locked.items()):
        lines.append(" \\\n".join([name, *(f"    --hash=sha256:{value}" for value in sorted(hashes))]) + "\n")
    (HERE / "requirements.lock").write_text("".join(lines), encoding="utf-8")


def _resolved(processor: str) -> dict[str, str]:
    """Name and version of each package, and the hash of its file for one processor."""
    platforms = [part for name in PLATFORMS for part in ("--platform", f"{name}_{processor}")]
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", str(report), "--target", scratch, "--only-binary", ":all:"]
        command += platforms
        command += ["--requirement", str(HERE / "requirements.txt")]
        subprocess.run(command, check=True)
        found = json.loads(report.read_text())["install"]
    return {
        f"{item['metadata']['name'].lower()}=={item['metadata']['version']}": item["download_info"]["archive_info"][
            "hashes"
        ]["sha256"]
        for item in found
    }


if __name__ == "__main__":
    main()
