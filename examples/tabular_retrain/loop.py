"""Rehearses the whole loop: release, drift, one execution on the new data, release. `make rehearse` runs it.

It starts `mlops rehearse --keep`, and then the commands that a person would run in another terminal.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
MLOPS = [sys.executable, "-m", "mlops_constructs"]
APP = shlex.join([sys.executable, "main.py", "rehearsal"])
PATIENCE_SECONDS = 900.0


def main() -> None:
    """Rehearse, close the loop, and end the rehearsal."""
    command = [*MLOPS, "rehearse", "--data", "data", "--approve", "--keep", "--app", APP, *sys.argv[1:]]
    rehearsal = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    try:
        pipeline, place = follow(rehearsal)
        close_the_loop(pipeline, {**os.environ, **place})
    finally:
        rehearsal.send_signal(signal.SIGINT)
        rehearsal.wait()


def follow(rehearsal: subprocess.Popen[str]) -> tuple[str, dict[str, str]]:
    """Show what the rehearsal says until it waits; return the pipeline, and where the local AWS is."""
    assert rehearsal.stdout is not None
    pipeline = ""
    for line in rehearsal.stdout:
        print(line, end="", flush=True)
        if line.startswith("Failed: "):
            break
        if found := re.search(r"mlops status (\S+) --local", line):
            pipeline = found[1]
        if "export AWS_ENDPOINT_URL=" in line:
            return pipeline, dict(one.split("=", 1) for one in line.split()[1:])
    raise SystemExit("the rehearsal has failed")


def close_the_loop(pipeline: str, environment: dict[str, str]) -> None:
    """Let production drift while new data is there, and approve the execution that follows."""

    def mlops(*arguments: str, show: bool = True) -> str:
        if show:
            print(f"\n$ mlops {shlex.join(arguments)}", flush=True)
        command = [*MLOPS, *arguments]
        output = subprocess.run(
            command, cwd=HERE, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        if show:
            print(output, end="", flush=True)
        return output

    def read(command: str) -> Any:
        return json.loads(mlops(command, pipeline, "--json", show=False))

    def waiting() -> bool:
        return any(one["evidence"] for one in read("status")["executions"])

    mlops("upload", pipeline, "new_data")
    print(f"\n$ python traffic.py {pipeline} new_data", flush=True)
    subprocess.run([sys.executable, "traffic.py", pipeline, "new_data"], cwd=HERE, env=environment, check=True)
    wait_until(lambda: bool(read("drift").get("alarms")), "production has drifted")
    mlops("drift", pipeline)
    wait_until(waiting, "an execution waits for approval")
    mlops("status", pipeline)
    mlops("approve", pipeline, "--reason", "The new parcels go farther.")
    wait_until(lambda: read("status")["release"] == 2, "it is released")
    mlops("releases", pipeline)
    started = [one for one in read("status")["executions"] if one["why"]]
    if len(started) != 1:
        raise SystemExit(f"the alarms have started {len(started)} executions, not one")
    print(f"\nThe loop is closed: one execution, started because {started[0]['why']}", flush=True)


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Wait until something has happened; it takes minutes at most."""
    print(f"\nWaiting until {what} ...", flush=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"it did not happen within {PATIENCE_SECONDS:.0f} s that {what}")
        time.sleep(2)


if __name__ == "__main__":
    main()
