"""What is measured, and in which order: in turns, so that a slow minute of the machine meets everybody."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving_benchmark import servers
from serving_benchmark.drain import drain_under_load
from serving_benchmark.environments import CONTAINER, BenchmarkError, environment
from serving_benchmark.load import load, write_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving_benchmark.load import Measured
    from serving_benchmark.servers import Server

HERE = Path(__file__).parent
RECORD = "5.1,3.5,1.4,0.2\n"
DRAIN_CLIENTS = 16
MODELS = ("forest", "logistic")


class Comparison:
    """All loads on all servers."""

    def __init__(self, work: Path, seconds: float, rounds: int, connections: Sequence[int]) -> None:
        self._work = work
        self._seconds = seconds
        self._rounds = rounds
        self._connections = connections
        self._script = write_script(work, RECORD)

    def run(self, models: Sequence[str]) -> dict[str, Any]:
        """Measure everything, for each of the models."""
        result: dict[str, Any] = {
            "machine": {"processors": os.cpu_count(), "python": sys.version.split()[0], "workers": servers.WORKERS},
            "method": {"seconds": self._seconds, "rounds": self._rounds, "value": "median"},
            "models": {},
        }
        for name in models:
            context = self._logistic() if name == "logistic" else CONTAINER
            base = self._train(name, context)
            result["models"][name] = self._compare(name, context, base)
        return result

    def _compare(self, name: str, context: Path, base: Path) -> dict[str, Any]:
        model = base / "model"
        plain = servers.ours("ours plain", base, context, SERVE_ACCELERATION="off")
        sides = [servers.ours("ours", base, context), plain, servers.flask(model)]
        skipped = {}
        work = self._work / f"mms-{name}"
        work.mkdir()
        try:
            sides.append(servers.multi_model_server(model, work))
        except BenchmarkError as error:
            skipped["sagemaker-inference+MMS"] = str(error)
        if name == "logistic":
            sides.append(servers.constant())
        result = {side: measured for side, measured in self._loads(sides).items()}
        for side in sides:
            if side.name != "constant":
                result[side.name]["drain"] = self._drain(side)
        return {"servers": result, "skipped": skipped, "large_body": self._large_body(base, context)}

    def _loads(self, sides: list[Server]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[int, list[Measured]]] = {side.name: {} for side in sides}
        with contextlib.ExitStack() as stack:
            up = [stack.enter_context(self._one(side)) for side in sides]
            for connections in self._connections:
                for _ in range(self._rounds):
                    for server in up:
                        measured = load(server.port, connections, self._seconds, self._script)
                        found[server.name].setdefault(connections, []).append(measured)
                        print(server.name, connections, measured, file=sys.stderr, flush=True)
            return {
                server.name: {
                    "seconds_to_ping": round(server.seconds_to_ping, 2),
                    "seconds_to_answer": round(server.seconds_to_answer, 2),
                    "pss_megabytes": round(server.proportional_megabytes()),
                    "loads": {count: _median(rounds) for count, rounds in found[server.name].items()},
                }
                for server in up
            }

    @contextlib.contextmanager
    def _one(self, side: Server) -> Any:
        with servers.running(side, self._work) as server:
            load(server.port, 4, 1, self._script)
            yield server

    def _drain(self, side: Server) -> dict[str, dict[str, float]]:
        result = {}
        for name, keep_alive in (("kept connections", True), ("new connections", False)):
            with servers.running(side, self._work) as server:
                load(server.port, 4, 1, self._script)
                result[name] = drain_under_load(
                    server.port, server.terminate, server.wait, RECORD.encode(), DRAIN_CLIENTS, keep_alive=keep_alive
                )
        return result

    def _large_body(self, base: Path, context: Path) -> dict[str, Any]:
        pandas = self._work / "pandas"
        programs = environment("container")
        if not pandas.exists():
            subprocess.run(
                [
                    programs / "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--target",
                    pandas,
                    "pandas",
                    "python-dateutil",
                    "six",
                    "pytz",
                    "tzdata",
                ],
                check=True,
            )
        path = os.pathsep.join(map(str, (context, pandas)))
        with servers.running(servers.ours("ours large", base, context), self._work) as server:
            done = subprocess.run(
                [programs / "python", HERE / "large_body.py", str(server.port), base / "model"],
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise BenchmarkError(f"large_body.py failed:\n{done.stderr[-2000:]}")
        measured: dict[str, Any] = json.loads(done.stdout)
        return measured

    def _logistic(self) -> Path:
        context = shutil.copytree(
            CONTAINER, self._work / "logistic-container", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(HERE / "algorithms" / "logistic.py", context / "algorithm.py")
        return context

    def _train(self, name: str, context: Path) -> Path:
        """Train on iris with the container's own program."""
        base = self._work / f"{name}-ml"
        channel = base / "input" / "data" / "train"
        channel.mkdir(parents=True)
        python = environment("container") / "python"
        listed = subprocess.run([python, HERE / "iris.py"], capture_output=True, text=True, check=True).stdout
        assert len(list(csv.reader(io.StringIO(listed)))) == 150
        (channel / "iris.csv").write_text(listed)
        environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
        done = subprocess.run(
            [python, context / "train"], env=environ, cwd=context, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchmarkError(f"training {name} failed:\n{done.stderr[-2000:]}")
        print(done.stdout.splitlines()[-1], file=sys.stderr, flush=True)
        return base


def _median(rounds: list[Measured]) -> dict[str, float]:
    named = [asdict(measured) for measured in rounds]
    return {name: round(statistics.median(one[name] for one in named), 2) for name in named[0]}
