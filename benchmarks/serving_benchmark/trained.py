"""The models that are compared: trained on iris by the container's own program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from serving_benchmark.environments import CONTAINER, BenchmarkError, environment

HERE = Path(__file__).parent
NAMES = ("forest", "logistic")


@dataclass(frozen=True)
class Trained:
    """A model, and the container that trained it; ``base`` is used as /opt/ml."""

    name: str
    context: Path
    base: Path

    @property
    def model(self) -> Path:
        return self.base / "model"


def train(name: str, work: Path) -> Trained:
    """Train the container's forest, or logistic regression in its place.

    Raises:
        BenchmarkError: If the program fails; the message has its output.
    """
    trained = Trained(name, CONTAINER if name == "forest" else _logistic(work), work / f"{name}-ml")
    channel = trained.base / "input" / "data" / "train"
    channel.mkdir(parents=True)
    python = environment("container") / "python"
    iris = subprocess.run([python, HERE / "iris.py"], capture_output=True, text=True, check=True).stdout
    (channel / "iris.csv").write_text(iris)
    done = subprocess.run(
        [python, trained.context / "train"],
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(trained.base)},
        cwd=trained.context,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"training {name} failed:\n{done.stderr[-2000:]}")
    print(done.stdout.splitlines()[-1], file=sys.stderr, flush=True)
    return trained


def _logistic(work: Path) -> Path:
    context = work / "logistic-container"
    shutil.copytree(CONTAINER, context, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "algorithms" / "logistic.py", context / "algorithm.py")
    return context
