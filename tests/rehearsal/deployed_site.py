"""An example, synthesized and deployed to the local AWS, and who watches."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs.rehearsal.rehearse import Rehearsal
from mlops_constructs.rehearsal.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.rehearsal.data import RehearsalData
    from mlops_constructs.rehearsal.progress import Update

ROOT = Path(__file__).resolve().parents[2]


class Yes:
    """Watches in silence, keeps what it sees, and approves."""

    def __init__(self) -> None:
        self.updates: list[Update] = []

    def update(self, update: Update) -> None:
        self.updates.append(update)

    def log(self, line: str) -> None:
        pass

    def decide(self, evidence: str) -> bool:
        return True


@contextlib.contextmanager
def rehearsal_of(example: str, output: Path, data: RehearsalData, **stand_ins: Any) -> Iterator[Rehearsal]:
    """A rehearsal of the only stack of an example, not yet deployed; containers run as processes."""
    environment = {**os.environ, "CDKTF_OUTDIR": str(output)}
    subprocess.run([sys.executable, "main.py"], cwd=ROOT / "examples" / example, env=environment, check=True)
    (stack,) = (output / "stacks").iterdir()
    with Rehearsal(stack, data, Yes(), docker=False, stand_ins=StandIns(**stand_ins)) as rehearsal:
        yield rehearsal
