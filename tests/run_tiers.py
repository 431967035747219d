"""Run the tiers of the tests at once: what waits for Terraform leaves the cores to the others. `make test` calls it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Tier:
    """One run of pytest.

    Attributes:
        name: Value of ``--tier``.
        workers: Its processes.
    """

    name: str
    workers: int

    def run(self, output: Path, more: list[str]) -> tuple[int, float]:
        """Write what pytest says to a file; give its exit code and the seconds that it took."""
        command = [sys.executable, "-m", "pytest", "--tier", self.name, f"--numprocesses={self.workers}", *more]
        # The files with the most tests first.
        command += ["--loadscope-reorder"]
        began = time.monotonic()
        with output.open("wb") as stream:
            done = subprocess.run(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT, check=False)
        return done.returncode, time.monotonic() - began


# A deployment waits two thirds of its time for the provider, so it has more workers than there are cores.
TIERS = (Tier("terraform", 6), Tier("servers", 2), Tier("fast", 1))


def main(more: list[str]) -> int:
    """Run every tier, show what each said, then a table and the slowest tests; give 0 when all have passed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(TIERS)) as pool:
        outputs = {tier: Path(folder, tier.name) for tier in TIERS}
        runs = {tier: pool.submit(tier.run, output, more) for tier, output in outputs.items()}
        results = {tier: run.result() for tier, run in runs.items()}
        said = {tier: output.read_text(encoding="utf-8", errors="replace") for tier, output in outputs.items()}
    for tier, text in said.items():
        print(f"===== {tier.name}\n{text}")
    print("\n".join(["===== the ten slowest", *slowest("\n".join(said.values())), "===== tiers"]))
    for tier, (code, seconds) in results.items():
        print(f"{tier.name:10} {seconds:6.0f} s  {summary(said[tier])}" + (f"  (exit code {code})" if code else ""))
    print(f"{'all':10} {time.monotonic() - began:6.0f} s")
    return max(code for code, _ in results.values())


def slowest(text: str) -> list[str]:
    """Give pytest's lines of the ten slowest parts of tests of all tiers, such as ``75.20s setup tests/...``."""
    lines = re.findall(r"^\d+\.\d+s (?:setup|call|teardown) .*$", text, re.MULTILINE)
    return sorted(lines, key=lambda line: -float(line.split("s", 1)[0]))[:10]


def summary(text: str) -> str:
    """Give pytest's last line, such as ``71 passed in 80.10s``."""
    lines = [line.strip("= ") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was printed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
