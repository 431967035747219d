"""Rehearse with data sets of some sizes, and print what each step takes, beside a plain copy of the same file."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from mlops_constructs.cli.synth import synthesize
from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.follow import Follower
from mlops_constructs.rehearsal.rehearse import Rehearsal

if TYPE_CHECKING:
    from mlops_constructs.rehearsal.progress import Update

_APP = Path(__file__).with_name("app.py")
_LABELS = ("setosa", "versicolor", "virginica")
_START_SECONDS = 60
_MEGABYTES = (13, 100, 1000)
_STEPS = {"upload": "upload", "check": "Prepare / CheckDataset", "train": "Train / Train"}


class Clock:
    """Keeps how long each step took; says nothing, and rejects."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def update(self, update: Update) -> None:
        """Keep the time of a step that has ended."""
        if update.state in ("succeeded", "failed"):
            self.seconds[update.name] = update.seconds

    def log(self, line: str) -> None:
        """Leave it out."""

    def decide(self, evidence: str) -> bool:
        """Reject."""
        del evidence
        return False


def write(file: Path, megabytes: int) -> None:
    """Write a CSV file of this size: rows of three labels and four numbers."""
    chance = random.Random(7)
    rows = (
        ",".join([_LABELS[number % 3], *(f"{chance.uniform(0, 9):.3f}" for _ in range(4))])
        for number in range(1_000_000 // 32)
    )
    block = "".join(f"{row}\n" for row in rows).encode()
    with file.open("wb") as out:
        for _ in range(megabytes):
            out.write(block)


def copied(file: Path) -> float:
    """Give the seconds of the baseline: two copies of the file on this disk, as upload and download make two."""
    began = time.monotonic()
    for number in range(2):
        shutil.copyfile(file, file.with_suffix(f".{number}"))
    return time.monotonic() - began


def measure(stack: Path, work: Path, sizes: list[int]) -> list[tuple[int, float, dict[str, float]]]:
    """Give size, seconds of the baseline and seconds of the steps, for each size."""
    found = []
    clock = Clock()
    with Rehearsal(stack, RehearsalData("none", {}, []), clock, docker=False) as rehearsal:
        pipeline = rehearsal.deploy()
        rehearsal.build_image()
        follower = Follower(rehearsal.aws.client, pipeline.name, clock, time.sleep)
        for megabytes in sizes:
            folder = work / str(megabytes)
            folder.mkdir()
            write(folder / "train.csv", megabytes)
            clock.seconds.clear()
            known, began = follower.executions.ids(), time.monotonic()
            RehearsalData.find([f"train={folder / 'train.csv'}"]).upload_to(pipeline)
            clock.seconds["upload"] = time.monotonic() - began
            # The server does not answer, so the execution ends at DEV: what comes later is not measured.
            ended = follower.follow(follower.wait_for_start(known, _START_SECONDS))
            if not ended.reason.startswith("DeployDev"):
                raise SystemExit(f"{megabytes} MB: {ended.status}: {ended.reason}")
            found.append((megabytes, copied(folder / "train.csv"), dict(clock.seconds)))
            shutil.rmtree(folder)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="make bench-data", description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=list(_MEGABYTES), metavar="MB")
    options = parser.parse_args()
    table = Table("data set", "two copies of the file", *_STEPS, "all / two copies")
    with tempfile.TemporaryDirectory(prefix="bench-data-") as folder:
        work = Path(folder)
        (work / "synth").mkdir()
        stack = synthesize(f"{sys.executable} {_APP}", work / "synth", None)
        for megabytes, baseline, seconds in measure(stack, work, options.megabytes):
            steps = [seconds.get(step, 0.0) for step in _STEPS.values()]
            cells = [f"{one:.1f} s" for one in (baseline, *steps)]
            table.add_row(f"{megabytes} MB", *cells, f"{sum(steps) / baseline:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
