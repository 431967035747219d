"""An app with COUNT pipelines: ``python -m synth_benchmark.growth_app COUNT``; prints JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from cdktf import App, TerraformStack

from mlops_constructs import Algorithm, Dataset, MLOpsPipeline
from mlops_constructs.provider import AwsProvider


def main(count: int) -> None:
    """Create the pipelines, and measure the time of each."""
    app = App()
    stack = TerraformStack(app, "growth")
    AwsProvider(stack, "aws", region="us-east-1")
    seconds = []
    for number in range(count):
        start = time.perf_counter()
        MLOpsPipeline(stack, f"p{number}", algorithm=Algorithm.from_directory("container"), dataset=Dataset())
        seconds.append(round(time.perf_counter() - start, 4))
    start = time.perf_counter()
    app.synth()
    synth = round(time.perf_counter() - start, 4)
    print(json.dumps({"pipelines": seconds, "synth": synth, "megabytes": _peak_megabytes()}))


def _peak_megabytes() -> dict[str, int] | None:
    """Return the peak resident set size of this Python and of the Node that runs jsii's kernel; Linux only."""
    if not Path("/proc/self/status").exists():
        return None
    peaks = {pid: _peak(pid) for pid in _descendants(os.getpid())}
    return {"python": _peak(os.getpid()), "node": max(peaks.values())}


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


def _descendants(pid: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="utf-8").split()
    ]
    return children + [below for child in children for below in _descendants(child)]


if __name__ == "__main__":
    main(int(sys.argv[1]))
