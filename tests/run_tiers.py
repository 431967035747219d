"""Run the tiers of the tests at once: what waits for Terraform leaves the cores to the others. `make test` calls it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from synthesized_programs import SHARED

ROOT = Path(__file__).resolve().parents[1]
# Such as "....F.... [ 42%]".
_PROGRESS = re.compile(r"\S+ +\[ *\d+%\]$")


@dataclass(frozen=True)
class Tier:
    """One run of pytest.

    Attributes:
        name: Value of ``--tier``.
        workers: Its processes.
        nice: Their niceness.
    """

    name: str
    workers: int
    nice: int = 0

    def run(self, more: list[str]) -> Outcome:
        """Run it; show its progress while it runs."""
        command = [sys.executable, "-m", "pytest", "--tier", self.name, f"--numprocesses={self.workers}", *more]
        # The files with the most tests first.
        command += ["--loadscope-reorder"]
        lines, began = list[str](), time.monotonic()
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            # Before it starts its workers, which inherit it.
            os.setpriority(os.PRIO_PROCESS, process.pid, self.nice)
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if _PROGRESS.match(line):
                    print(f"{self.name:9} {line}", end="", flush=True)
        return Outcome(self.name, process.returncode, time.monotonic() - began, "".join(lines))


@dataclass(frozen=True)
class Outcome:
    """What a run of pytest gave.

    Attributes:
        name: Of the tier.
        code: Exit code.
        seconds: How long it took.
        text: What pytest printed.
    """

    name: str
    code: int
    seconds: float
    text: str

    def row(self) -> str:
        """Give its line of the table."""
        failed = f"  (exit code {self.code})" if self.code else ""
        return f"{self.name:9} {self.seconds:6.0f} s  {summary(self.text)}{failed}"


# A deployment waits two thirds of its time for the provider, so it has more workers than there are cores; with seven
# in the place of four, all tiers together take a fifth longer. The fast tests wait for nothing and nobody
# waits for them: they take what the others leave.
TIERS = (Tier("terraform", 4), Tier("servers", 2), Tier("fast", 2, nice=15))


def main(more: list[str]) -> int:
    """Run every tier, show what each said when it ends, then a table and the slowest tests; give 0 when all passed."""
    began, outcomes = time.monotonic(), list[Outcome]()
    with tempfile.TemporaryDirectory(prefix="mlops-tests-") as shared, ThreadPoolExecutor(len(TIERS)) as pool:
        os.environ[SHARED] = shared
        for future in as_completed([pool.submit(tier.run, more) for tier in TIERS]):
            outcome = future.result()
            outcomes.append(outcome)
            print(f"===== {outcome.name}\n{outcome.text}", flush=True)
    texts = "\n".join(outcome.text for outcome in outcomes)
    # Once more at the end: whoever looks at the last lines only must see them.
    print("\n".join(["===== failures", *(failures(outcome.text) for outcome in outcomes if outcome.code)]))
    print("\n".join(["===== the ten slowest", *slowest(texts), "===== tiers", *(one.row() for one in outcomes)]))
    print(f"{'all':9} {time.monotonic() - began:6.0f} s")
    return max(outcome.code for outcome in outcomes)


def failures(text: str) -> str:
    """Give pytest's summary: a failed test with its reason, a line or more each; all when it ended without one."""
    summary = re.search(r"^=+ short test summary info =+\n(.*)^=+ .* in .*=+$", text, re.MULTILINE | re.DOTALL)
    return text if summary is None else re.sub(r"^SKIPPED .*\n", "", summary[1], flags=re.MULTILINE).rstrip()


def slowest(text: str) -> list[str]:
    """Give pytest's lines of the ten slowest parts of tests of all tiers, such as ``75.20s setup tests/...``."""
    lines = re.findall(r"^\d+\.\d+s (?:setup|call|teardown) .*$", text, re.MULTILINE)
    return sorted(lines, key=lambda line: -float(line.split("s", 1)[0]))[:10]


def summary(text: str) -> str:
    """Give pytest's last line, such as ``71 passed in 80.10s``."""
    lines = [line.strip("= ") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was printed"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
