"""A separate virtual environment for each server of the comparison, created if it does not exist."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from mlops_constructs.local_aws.user_cache import hold, user_cache

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = ROOT / "container"
CACHE = user_cache() / "mlops-constructs" / "benchmark"
SCIKIT_LEARN = next(
    line.split(";")[0].strip()
    for line in reversed((CONTAINER / "requirements.txt").read_text().splitlines())
    if line.startswith("scikit-learn==")
)
PACKAGES = {
    "container": ["-r", str(CONTAINER / "requirements.txt")],
    "flask": ["gunicorn==23.0.0", "gevent", "flask==3.1.2", "pandas", SCIKIT_LEARN],
    # multi-model-server imports pkg_resources.
    "mms": ["setuptools<80", "sagemaker-inference==1.10.1", "multi-model-server==1.1.11", SCIKIT_LEARN],
}


class BenchmarkError(Exception):
    """The benchmark, or one of its servers, cannot run here; the message says why."""


def environment(name: str) -> Path:
    """Return the ``bin`` folder of one virtual environment.

    Raises:
        BenchmarkError: If pip cannot install it.
    """
    # The content of requirements.txt identifies the environment, not its path.
    packages = [package for package in PACKAGES[name] if package != str(CONTAINER / "requirements.txt")]
    wanted = "\0".join([sys.version, *packages, (CONTAINER / "requirements.txt").read_text()])
    folder = CACHE / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    hold("benchmark")
    done = folder / "installed"
    if not done.exists():
        print(f"installing {name} into {folder}", file=sys.stderr, flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(folder / "bin" / "pip"), "install", "--quiet", *PACKAGES[name]])
        done.touch()
    return folder / "bin"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
