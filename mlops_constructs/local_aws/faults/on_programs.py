"""Programs that end before their time: by SIGKILL, for want of memory or disk, by a spot interruption."""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.fault import Fault, fits

if TYPE_CHECKING:
    from mlops_constructs.local_aws.hooks import Program
    from mlops_constructs.local_aws.local_aws import LocalAws

KINDS = ("training", "processing", "transform", "serving", "build")
WAYS = ("kill", "memory", "disk", "spot")


class Crash(Fault):
    """A program of a job, an endpoint or a build ends before its time."""

    def install(self, aws: LocalAws) -> None:
        """Refuse what does not exist here."""
        self.aws = aws
        how, program = self.values["how"], self.values["program"]
        if how == "spot" and program != "training":
            raise FaultError(f"{self.text}: only a training job has spot instances")
        if how in ("memory", "disk") and not sys.platform.startswith("linux"):
            raise FaultError(f"{self.text}: {how} needs Linux")

    def started(self, program: Program) -> None:
        """Let it end, now or later."""
        if program.kind != self.values["program"] or not fits(self.values["name"], program.name):
            return
        if self.values["how"] == "spot" and program.interrupt is None:
            self.problem = f"training job {program.name} uses no spot instances"
            return
        if not self.due():
            return
        if self.values["after"]:
            self.aws.account.spawn("crash", lambda: self._later(program))
        else:
            self._crash(program)

    def _later(self, program: Program) -> None:
        if self.aws.account.closing.wait(self.values["after"]):
            return
        if program.container.exit_code() is not None:
            self.problem = f"{program.kind} {program.name} had ended after {self.values['after']:g} s"
            return
        self._crash(program)

    def _crash(self, program: Program) -> None:
        how, container = self.values["how"], program.container
        self.fire(f"{program.kind} {program.name}: {how}")
        if how == "kill":
            container.kill()
        elif how == "spot" and program.interrupt is not None:
            program.interrupt()
        elif how == "memory":
            # As the kernel does: the process that has the most memory.
            with suppress(ProcessLookupError):
                os.kill(max(_tree(container.pid), key=_memory), signal.SIGKILL)
        else:
            for process in _tree(container.pid):
                with suppress(ProcessLookupError, PermissionError):
                    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, 0))


def _tree(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found


def _memory(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return -1
