"""`make soak-serving`: abuses a server of the container in every way, then sends mixed requests for minutes."""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from container_fuzz.peak import Peak
from container_fuzz.server import serving, train
from container_fuzz.watch import processes_of

from container_soak.cgroups import group, join
from container_soak.clients import RECORD, at_once, invocation
from container_soak.clients import ask as send
from container_soak.drift import Window, drift
from container_soak.measure import children_of, taken_by
from container_soak.probe import Health, Probe, ask
from container_soak.scenarios import SCENARIOS, Abused
from container_soak.soak import LARGE, mixed

if TYPE_CHECKING:
    from collections import Counter

    from container_fuzz.watch import Watch

    from container_soak.measure import Taken
    from container_soak.scenarios import Scenario

CONTAINER = Path(__file__).parents[2] / "container"
# Of two workers. The first requests of each kind load libraries, which stay: 22 MB were measured.
_FIRST_MEGABYTES = 60
# Measured: 49 MB after three minutes of mixed requests, 66 MB after 1,000 clients.
_LEFT_MEGABYTES = 80
_LEFT_DESCRIPTORS = 8
_RECOVERY_SECONDS = 90
_WINDOW_SECONDS = 15.0
_WARM_UP_SECONDS = 20.0
_MOST_WARM_UPS = 6
_SETTLED_SECONDS = 4.0
# Added to algorithm.py.
_LEAK = """
_predict, _kept = predict, []
def predict(model, records):
    {}
    return _predict(model, records)
"""
LEAKS = {
    "memory": _LEAK.format("_kept.append(bytearray(20_000))"),
    "descriptors": _LEAK.format("_kept.append(open(__file__)) if len(_kept) % 50 == 0 else _kept.append(None)"),
    "time": _LEAK.format("_kept.append(0); sum(range(20 * len(_kept)))"),
    "waits": _LEAK.format("_kept.append(0); __import__('time').sleep(4e-7 * len(_kept))"),
}


def main() -> int:
    """Run the scenarios and the soak; return 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="make soak-serving", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of mixed requests; 0 for none")
    parser.add_argument("--only", help="names of scenarios, with commas; 'none' for the mixed requests alone")
    parser.add_argument("--leak", choices=LEAKS, help="what the algorithm leaks: the verdict must find it")
    parser.add_argument("--container", type=Path, default=CONTAINER, help="folder with train and serve")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [one.name for one in SCENARIOS]
    bad: list[str] = []
    with tempfile.TemporaryDirectory(prefix="soak-serving-") as name:
        folder = Path(name)
        base = train(folder, options.container)
        for scenario in SCENARIOS:
            if scenario.name in names:
                faults = run(scenario, folder / scenario.name, base, options.container)
                bad += [f"{scenario.name}: {fault}" for fault in faults]
        if options.minutes:
            bad += soak(folder / "mixed", base, options.container, options.minutes, options.leak)
    print("\n".join(["", *bad, f"{len(bad)} faults"]))
    return 1 if bad else 0


def run(scenario: Scenario, folder: Path, base: Path, container: Path) -> list[str]:
    """Run one scenario against a server of its own; give what did not hold."""
    folder.mkdir()
    edited = folder / "container"
    shutil.copytree(container, edited, ignore=shutil.ignore_patterns("__pycache__"))
    if scenario.algorithm:
        # ONNX is not used for an algorithm that has changed.
        with (edited / "algorithm.py").open("a", encoding="utf-8") as algorithm:
            algorithm.write(scenario.algorithm)
    with group(scenario.controller or "none") as members:
        if scenario.controller and members is None:
            print(f"{scenario.name}: not run, this machine has no such groups")
            return []

        def before() -> None:
            if members is not None:
                join(members)
            if scenario.descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (scenario.descriptors, scenario.descriptors))

        settings = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(scenario.workers), **scenario.settings}
        log = folder / "serve.log"
        with serving(base, edited, log, before=before, **settings) as (process, watch):
            _wait_for_workers(watch, scenario.workers)
            faults = _abuse(scenario, process.pid, watch.port, members)
            process.terminate()
            code = process.wait(40)
        if code:
            faults.append(f"serve ended with {code}")
    if faults:
        lines = [line for line in log.read_text(errors="replace").splitlines() if '"level": "INFO"' not in line]
        print("\n".join(f"    {line[:200]} ... {line[-200:]}" for line in lines[-8:]))
    return faults


def soak(folder: Path, base: Path, container: Path, minutes: float, leak: str | None = None) -> list[str]:
    """Send mixed requests, print a line for each quarter of a minute, and give what did not hold."""
    folder.mkdir()
    edited, windows = folder / "container", list[Window]()
    shutil.copytree(container, edited, ignore=shutil.ignore_patterns("__pycache__"))
    settings = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    if leak:
        with (edited / "algorithm.py").open("a", encoding="utf-8") as algorithm:
            algorithm.write(LEAKS[leak])

    def tell(window: Window) -> None:
        windows.append(window)
        print(window, flush=True)

    with serving(base, edited, folder / "serve.log", **settings) as (process, watch):
        _wait_for_workers(watch, 2)
        cold, workers = taken_by(process.pid), children_of(process.pid)
        faults = _send_all_kinds(process.pid, watch.port)
        before = _settled(process.pid)
        faults += _send_all_kinds(process.pid, watch.port)
        mix = mixed(process.pid, watch.port, 60 * minutes, _WINDOW_SECONDS, tell)
        after = _settled(process.pid)
        faults += mix.faults() + drift(windows) + _recovered(process.pid, watch.port, before)
        if before.megabytes > cold.megabytes + _FIRST_MEGABYTES:
            faults.append(f"{cold.megabytes:.0f} MB before the first requests, {before.megabytes:.0f} after them")
        if children_of(process.pid) != workers:
            faults.append("workers were replaced")
        process.terminate()
        if code := process.wait(40):
            faults.append(f"serve ended with {code}")
    memory = f"idle {cold.megabytes:.0f} MB, {before.megabytes:.0f} after the first requests, {after.megabytes:.0f} now"
    print(f"{mix}; {memory}; {'; '.join(faults) or 'no drift'}")
    return [f"mixed requests: {fault}" for fault in faults]


def _send_all_kinds(process: int, port: int) -> list[str]:
    """Send mixed requests until each worker has a process that reads Parquet; give what did not hold."""
    faults = []
    for _ in range(_MOST_WARM_UPS):
        faults += mixed(process, port, _WARM_UP_SECONDS, _WARM_UP_SECONDS, print).faults()
        if len(list(processes_of(process))) > 2 * len(children_of(process)):
            break
    return faults


def _recovered(process: int, port: int, before: Taken) -> list[str]:
    """Wait until the server is as before; give what is not."""
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while (left := _left(process, port, before)) and time.monotonic() < deadline:
        time.sleep(1)
    return left


def _wait_for_workers(watch: Watch, count: int) -> None:
    """Wait until the early worker has gone, and the others have taken what they need."""
    while len(children_of(watch.process)) != count:
        time.sleep(0.1)
    watch.settle()


def _warm_up(process: int, port: int) -> Taken:
    """Send what takes memory that stays, often enough that each worker gets some; give what the server takes then."""
    for _ in range(16):
        send(port, invocation(RECORD))
        send(port, invocation(RECORD * 4_000))
    at_once(16, lambda: send(port, invocation(LARGE)))
    return _settled(process)


def _settled(process: int) -> Taken:
    """Wait until the server gives no more memory back, and has ended the process that reads Parquet."""
    while len(list(processes_of(process))) > 1 + len(children_of(process)):
        time.sleep(1)
    least, since = taken_by(process), time.monotonic()
    while time.monotonic() - since < _SETTLED_SECONDS:
        time.sleep(0.5)
        now = taken_by(process)
        if now.megabytes < least.megabytes - 1 or now.descriptors < least.descriptors:
            least, since = now, time.monotonic()
    return least


def _abuse(scenario: Scenario, process: int, port: int, members: Path | None) -> list[str]:
    before, workers = _warm_up(process, port), children_of(process)
    probe, peak = Probe(port), Peak(lambda: taken_by(process).megabytes)
    began = time.monotonic()
    statuses: Counter[int] = scenario.abuse(Abused(process, port, members))
    seconds = time.monotonic() - began
    peak.close()
    health: Health = probe.close()
    more = peak.most - before.megabytes
    faults = scenario.faults_of_clients(statuses, health)
    if more > scenario.megabytes:
        faults.append(f"{more:.0f} MB more memory, {scenario.megabytes:.0f} are allowed")
    faults += _recovered(process, port, before)
    if not scenario.ends_worker and children_of(process) != workers:
        faults.append(f"workers were replaced: {workers} -> {children_of(process)}")
    after = taken_by(process)
    got = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    print(
        f"{scenario.name}: {scenario.what}: {seconds:.0f} s; {got}; {before.megabytes:.0f} MB -> at most "
        f"{peak.most:.0f} -> {after.megabytes:.0f}; {len(health.pings)} pings, at most {max(health.pings):.2f} s, "
        f"not 200: {health.refused or 'none'}; {health.truths} invocations after a 200; "
        f"{'does not hold: ' + '; '.join(faults) if faults else 'holds'}",
        flush=True,
    )
    return faults


def _left(process: int, port: int, before: Taken) -> list[str]:
    """What is not as it was before the abuse."""
    now = taken_by(process)
    found = []
    if now.megabytes > before.megabytes + _LEFT_MEGABYTES:
        found.append(f"{now.megabytes:.0f} MB afterwards, {before.megabytes:.0f} before")
    if now.descriptors > before.descriptors + _LEFT_DESCRIPTORS:
        found.append(f"{now.descriptors} descriptors afterwards, {before.descriptors} before")
    if [ask(port, "GET", "/ping", None, 2) for _ in range(10)] != [200] * 10:
        found.append("/ping is not 200 afterwards")
    return found


if __name__ == "__main__":
    sys.exit(main())
