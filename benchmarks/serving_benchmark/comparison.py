"""The measurements and their order: in turns, so that a slow period of the machine affects all servers."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serving_benchmark import servers
from serving_benchmark.drain import drain_under_load
from serving_benchmark.environments import BenchmarkError, environment
from serving_benchmark.load import load, write_script
from serving_benchmark.trained import HERE, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serving_benchmark.servers import Server
    from serving_benchmark.trained import Trained

RECORD = "5.1,3.5,1.4,0.2\n"
DRAIN_CLIENTS = 16
OURS, PLAIN, FLASK, MMS, CONSTANT = "ours", "ours plain", "gunicorn+Flask", "sagemaker-inference+MMS", "constant"


class Comparison:
    """All loads on all servers."""

    def __init__(self, work: Path, seconds: float, rounds: int, connections: Sequence[int]) -> None:
        self._work = work
        self._seconds = seconds
        self._rounds = rounds
        self._connections = connections
        self._script = write_script(work, RECORD)

    def run(self, models: Sequence[str]) -> dict[str, Any]:
        """Measure everything for each model."""
        return {
            "machine": {"processors": os.cpu_count(), "python": sys.version.split()[0], "workers": servers.WORKERS},
            "method": {"seconds": self._seconds, "rounds": self._rounds, "value": "median"},
            "models": {name: self._compare(train(name, self._work)) for name in models},
        }

    def _compare(self, trained: Trained) -> dict[str, Any]:
        sides, skipped = self._sides(trained)
        measured: dict[str, dict[str, Any]] = {side.name: {} for side in sides}
        peers = [side for side in sides if side.name != CONSTANT]
        self._starts(peers, measured)
        self._loads(sides, measured)
        for side in peers:
            measured[side.name]["drain"] = self._drain(side)
        with servers.running(sides[0], self._work) as server:
            return {
                "servers": measured,
                "skipped": skipped,
                "answers": self._in_container("answers.py", server.port, trained),
                "large_body": self._in_container("large_body.py", server.port, trained),
            }

    def _sides(self, trained: Trained) -> tuple[list[Server], dict[str, str]]:
        sides = [
            servers.ours(OURS, trained.base, trained.context),
            servers.ours(PLAIN, trained.base, trained.context, SERVE_ACCELERATION="off"),
            servers.flask(FLASK, trained.model),
            servers.constant(CONSTANT),
        ]
        work = self._work / f"mms-{trained.name}"
        work.mkdir()
        try:
            sides.append(servers.multi_model_server(MMS, trained.model, work))
        except BenchmarkError as error:
            return sides, {MMS: str(error)}
        return sides, {}

    def _starts(self, sides: list[Server], measured: dict[str, dict[str, Any]]) -> None:
        """Start each server alone, several times; the first start only fills the machine's file cache."""
        for number in range(self._rounds + 1):
            for side in sides:
                with servers.running(side, self._work) as server:
                    start = {"ping": round(server.seconds_to_ping, 2), "answer": round(server.seconds_to_answer, 2)}
                if number:
                    measured[side.name].setdefault("starts", []).append(start)
                    _tell(side.name, "start", start)

    def _loads(self, sides: list[Server], measured: dict[str, dict[str, Any]]) -> None:
        found: dict[str, dict[int, list[dict[str, float]]]] = {side.name: {} for side in sides}
        with contextlib.ExitStack() as stack:
            up = [stack.enter_context(servers.running(side, self._work)) for side in sides]
            for server in up:
                load(server.port, 4, 1, self._script)
                server.rest()
            for connections in self._connections:
                for number in range(self._rounds):
                    first = number % len(up)
                    for server in up[first:] + up[:first]:
                        one = asdict(load(server.port, connections, self._seconds, self._script))
                        server.rest()
                        found[server.name].setdefault(connections, []).append(one)
                        _tell(server.name, connections, one)
            for server in up:
                measured[server.name]["pss_megabytes"] = round(server.proportional_megabytes())
                measured[server.name]["loads"] = {
                    count: {**_medians(rounds), "rounds": rounds} for count, rounds in found[server.name].items()
                }

    def _drain(self, side: Server) -> dict[str, dict[str, float]]:
        result = {}
        for name, keep_alive in (("kept connections", True), ("new connections", False)):
            with servers.running(side, self._work) as server:
                load(server.port, 4, 1, self._script)
                result[name] = drain_under_load(
                    server.port, server.terminate, server.wait, RECORD.encode(), DRAIN_CLIENTS, keep_alive=keep_alive
                )
                _tell(side.name, "SIGTERM", result[name])
        return result

    def _in_container(self, script: str, port: int, trained: Trained) -> dict[str, Any]:
        """Run a script in the container's virtual environment, with the container's modules and pandas on its path."""
        path = os.pathsep.join(map(str, (trained.context, self._pandas())))
        done = subprocess.run(
            [environment("container") / "python", HERE / script, str(port), trained.model],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchmarkError(f"{script} failed:\n{done.stderr[-2000:]}")
        measured: dict[str, Any] = json.loads(done.stdout)
        _tell(trained.name, script, measured)
        return measured

    def _pandas(self) -> Path:
        folder = self._work / "pandas"
        if not folder.exists():
            packages = ["pandas", "python-dateutil", "six", "pytz", "tzdata"]
            command = [environment("container") / "pip", "install", "--quiet", "--no-deps", "--target", folder]
            subprocess.run([*command, *packages], check=True, stdout=sys.stderr)
        return folder


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]}


def _tell(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)
