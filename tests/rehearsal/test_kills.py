"""`mlops rehearse` gets SIGKILL: nothing that it has started outlives it, and the next start sweeps its folders.

`make soak-kills` kills at every moment; MLOPS_KILLS and MLOPS_KILLS_SEED say how often and where.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from descendants import alive, descendants
from leftovers import nothing_left, processes_in
from local_aws.tiny_pipeline import wait_for as wait_until
from rehearse_process import start, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.terraform
SEED = int(os.environ.get("MLOPS_KILLS_SEED", "15"))
# What the command says when a step begins, and within how many seconds after it is killed.
MOMENTS = [
    ("Terraform | apply | running", 25.0),
    ("DeployDev / ", 6.0),
    ("Synth | cdk.tf.json | running", 3.0),
    ("Terraform | init | running", 1.5),
    ("Terraform | second plan | running", 5.0),
    ("Image | container runtime", 5.0),
    ("Data | upload | running", 2.0),
    ("Train / Train | running", 3.0),
    ("Approve / Approve | running", 2.0),
    ("DeployProduction / ", 4.0),
    ("Production | held-out rows", 1.0),
    ("Pipelines | teardown | running", 2.0),
    ("Terraform | destroy | running", 20.0),
]
CASES = int(os.environ.get("MLOPS_KILLS", "1"))
SWEEP = "from mlops_constructs.local_aws.scratch import sweep; sweep()"


def cases() -> list[tuple[str, float]]:
    draw = random.Random(SEED)
    return [(moment, round(draw.uniform(0, spread), 2)) for moment, spread in (MOMENTS * 99)[:CASES]]


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """The folder for the temporary files of all starts, as /tmp is: each sweeps what the one before has left."""
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        yield Path(folder)


@pytest.mark.parametrize(("moment", "seconds"), cases())
def test_nothing_outlives_a_rehearsal_that_is_killed(site: Path, moment: str, seconds: float) -> None:
    before = set(site.iterdir())
    with start(site, "--approve") as process:
        wait_for(process, moment)
        time.sleep(seconds)
        process.send_signal(signal.SIGSTOP)
        started = descendants(process.pid)
        process.kill()
        killed = time.monotonic()
        assert wait_until(lambda: not alive(started) and not processes_in(site))
        print(f"{moment}, {seconds} s: {len(started)} processes ended in {time.monotonic() - killed:.1f} s")
        assert process.wait() == -signal.SIGKILL
    assert started
    assert not before & set(site.iterdir()), "it has not swept what the one before has left"


def test_nothing_is_left_after_the_next_sweep(site: Path) -> None:
    assert any(site.iterdir()) or CASES == 0
    subprocess.run([sys.executable, "-c", SWEEP], env={**os.environ, "TMPDIR": str(site)}, check=True)
    assert nothing_left(site)
