"""A server of the container, started for the requests: trained on iris, then `serve` on a free port."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from container_fuzz.watch import Watch
from mlops_constructs.local_aws.ports import ReservedPort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def train(folder: Path, container: Path) -> Path:
    """Run `train`; return the folder that stands for /opt/ml."""
    from sklearn.datasets import load_iris

    data = load_iris()
    base = folder / "ml"
    channel = base / "input" / "data" / "train"
    channel.mkdir(parents=True)
    lines = [
        ",".join([str(data.target_names[label]), *map(str, row)])
        for row, label in zip(data.data, data.target, strict=True)
    ]
    (channel / "iris.csv").write_text("\n".join(lines))
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    subprocess.run([sys.executable, container / "train"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return base


@contextlib.contextmanager
def serving(
    base: Path, container: Path, log: Path, *, before: Callable[[], None] | None = None, **settings: str
) -> Iterator[tuple[subprocess.Popen[bytes], Watch]]:
    """Run `serve` until the block ends.

    Args:
        base: What stands for /opt/ml.
        container: Folder with `serve`.
        log: File for what it prints.
        before: What its process does before it begins, such as to limit itself.
        settings: Environment variables.
    """
    port = ReservedPort()
    known = {
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port.number),
    }
    environment = {**os.environ, **known, **settings}
    command = [sys.executable, container / "serve"]
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, preexec_fn=before) as process,
    ):
        watch = Watch(process.pid, port.number)
        try:
            while watch.ping() > 60:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            watch.settle()
            yield process, watch
        finally:
            watch.close()
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()
            port.release()
