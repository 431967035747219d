"""Runs a program in namespaces of its own: `/opt/ml`, a host name that resolves, and, when it serves, port 8080.

It needs Linux, overlayfs and either root or user namespaces; no engine and no other program. What it isolates makes a
container's program find what SageMaker gives it. It is no protection against that program.
"""

from __future__ import annotations

import array
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.processes import ChildProcesses
from mlops_constructs.local_aws.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROGRAM = Path(__file__).with_name("sandbox_program.py")
_COMPLAINT = "local AWS: the container cannot be set up"
_PROBE_SECONDS = 20.0
# Folders of the machine that a program may write to; what it writes is gone at its end.
_WRITTEN = ("etc", "home", "opt", "root", "run", "srv", "usr", "var")
_SHIELDED = "kernel.apparmor_restrict_unprivileged_userns"


class Door:
    """Connects to ports in the network of a sandbox."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()

    def connect(self, port: int) -> socket.socket:
        """Return a connected socket. Raises OSError, as `connect()` in there does."""
        with self._lock:
            self._control.send(str(port).encode())
            answer, ancillary, _, _ = self._control.recvmsg(64, socket.CMSG_SPACE(array.array("i").itemsize))
        if not ancillary:
            number = int(answer or b"104")
            raise OSError(number, os.strerror(number))
        (handle,) = array.array("i", ancillary[0][2])
        return socket.socket(fileno=handle)

    def close(self) -> None:
        """Close it; the sandbox kills everything in it when it still runs."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What a program finds.

    Attributes:
        scratch: An empty folder, which belongs to the sandbox.
        trees: Folders of image files, each at its path in the image; they are not changed.
        binds: Folder or file on this machine to its path in the sandbox.
        covered: Folder on this machine to its path in the sandbox; what a program writes there is gone at its end.
        host_name: Host name, which resolves to the loopback address.
        own_network: Whether it has a network of its own, with nothing but the loopback interface.
    """

    scratch: Path
    trees: Sequence[Path] = ()
    binds: Mapping[Path, str]
    covered: Mapping[Path, str] = field(default_factory=dict)
    host_name: str = "algo-1"
    own_network: bool = False

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        processes: ChildProcesses,
    ) -> tuple[subprocess.Popen[bytes], Door]:
        """Start a program; its exit code is 125 when the sandbox cannot be set up."""
        specification = {**self._specification(), "command": list(command), "environment": dict(environment)}
        specification["directory"] = directory
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Isolated and without site: it starts in half the time.
            words = [sys.executable, "-I", "-S", str(_PROGRAM), json.dumps(specification)]
            try:
                process = processes.start(words, cwd=Path("/"), env={}, stdin=theirs.fileno())
            except BaseException:
                ours.close()
                raise
        return process, Door(ours)

    def _specification(self) -> dict[str, object]:
        hosts = self.scratch / "hosts"
        written = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace")
        hosts.write_text(f"127.0.0.1 localhost {self.host_name}\n{written}", encoding="utf-8")
        return {
            "scratch": str(self.scratch.resolve()),
            "trees": [str(tree) for tree in self.trees],
            "binds": [
                *([str(source.resolve()), target, True] for source, target in self.covered.items()),
                [str(hosts), "/etc/hosts", False],
                *([str(source.resolve()), target, False] for source, target in self.binds.items()),
            ],
            "host_name": self.host_name,
            "own_network": self.own_network,
            "user_namespace": os.geteuid() != 0,
            "written": list(_WRITTEN),
            "complaint": _COMPLAINT,
        }


@functools.cache
def sandbox_problem() -> str | None:
    """The reason why programs cannot run in a sandbox on this machine; None when they can. It is tried once."""
    if sys.platform != "linux":
        return "only Linux has namespaces"
    processes, folder = ChildProcesses(), ScratchFolder("local-aws-")
    try:
        sandbox = Sandbox(scratch=folder.path, binds={}, own_network=True)
        process, door = sandbox.start(["true"], {"PATH": os.defpath}, "/opt/ml", processes)
        output, _ = process.communicate(timeout=_PROBE_SECONDS)
        door.close()
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        processes.close()
        folder.remove()
    return None if process.returncode == 0 else _explained(output.decode(errors="replace").strip())


def _explained(output: str) -> str:
    switch = Path("/proc/sys") / _SHIELDED.replace(".", "/")
    with contextlib.suppress(OSError):
        if os.geteuid() != 0 and switch.read_text().strip() == "1":
            return f"{output}. To allow it: sudo sysctl -w {_SHIELDED}=0, or start a Docker engine"
    return output or "it ended without a word"
