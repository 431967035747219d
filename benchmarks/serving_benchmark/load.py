"""Load a server with wrk for a short time, and return what wrk measured."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving_benchmark.environments import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """
wrk.method = "POST"
wrk.body = %s
wrk.headers["Content-Type"] = "text/csv"
wrk.headers["Accept"] = "text/csv"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests": %%d, "microseconds": %%d, "p50": %%d, "p99": %%d, "failed": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Measured:
    """Requests a second and latencies of one load."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def write_script(folder: Path, body: str) -> Path:
    """Write the script with which wrk sends ``body``."""
    script = folder / "post.lua"
    script.write_text(_SCRIPT % json.dumps(body))
    return script


def load(port: int, connections: int, seconds: float, script: Path) -> Measured:
    """Send requests without pause over this number of connections.

    Raises:
        BenchmarkError: If wrk is not installed or cannot run.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("wrk is missing: apt-get install wrk")
    url = f"http://127.0.0.1:{port}/invocations"
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"wrk failed: {done.stderr}")
    one = json.loads(done.stdout.splitlines()[-1])
    return Measured(one["requests"] / (one["microseconds"] / 1e6), one["p50"] / 1000, one["p99"] / 1000, one["failed"])
