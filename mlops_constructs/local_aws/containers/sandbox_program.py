"""Start a program with a file system, host name, processes and network of its own, as in a container.

A program of its own, because a process with threads cannot enter a user namespace, and of the standard library alone:
``python -I -S sandbox_program.py SPECIFICATION``, which is JSON that ``sandbox.py`` writes. Its standard input is a
socket to the local AWS. When the local AWS ends, even by SIGKILL, every process in here is killed. Each message on the
socket asks for a connection to a port in here; the answer carries the connected socket, or the error number.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 4096, 16384, 1 << 18, 2
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SET_UP_FAILED, CANNOT_RUN, NOT_FOUND, SIGNALLED = 125, 126, 127, 128
# What a container does not take from the machine as it is.
_SPECIAL = {"dev", "proc", "sys", "tmp"}
# Special characters in the options of overlayfs.
_ESCAPED = re.compile(r"[\\:,]")

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        shown = ", ".join(one.decode() if isinstance(one, bytes) else str(one) for one in arguments)
        raise OSError(number, f"{name}({shown[:300]}): {os.strerror(number)}")


def _mount(source: str | Path, target: str | Path, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    _call("mount", *words, ctypes.c_ulong(flags), None if options is None else os.fsencode(options))


def _bind(source: Path, target: Path) -> None:
    _mount(source, target, None, MS_BIND | MS_REC)


def _enter_namespaces(specification: dict[str, Any]) -> None:
    user, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID
    flags |= CLONE_NEWNET if specification["own_network"] else 0
    _call("unshare", flags | (CLONE_NEWUSER if specification["user_namespace"] else 0))
    if specification["user_namespace"]:
        # The user's own ids: with root's in their place, a server that changes its user would fail.
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text)
    socket.sethostname(specification["host_name"])
    if specification["own_network"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            found = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
            flags = struct.unpack_from("h", found, 16)[0] | IFF_UP
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


class _Root:
    """The new root: the machine's folders, each under layers of the image and of what the program writes."""

    def __init__(self, specification: dict[str, Any]) -> None:
        self._specification = specification
        self._scratch, self._root = Path(specification["scratch"]), Path(specification["scratch"], "root")
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
        places = [line.split()[4].encode(errors="surrogateescape").decode("unicode_escape") for line in lines]
        self._mounts = sorted(set(places))

    def enter(self) -> None:
        _mount("none", "/", None, MS_REC | MS_PRIVATE)
        for name in ("root", "upper", "tmp"):
            (self._scratch / name).mkdir(exist_ok=True)
        _bind(self._root, self._root)
        layers = self._layers()
        for name in sorted({*(entry.name for entry in Path("/").iterdir()), *layers} - _SPECIAL):
            self._make(name, layers.get(name, []))
        self._make_special()
        for source, target, covered in self._specification["binds"]:
            self._bind_inside(Path(source), target, covered=covered)
        os.chdir(self._root)
        _call("pivot_root", b".", b".")
        _call("umount2", b".", MNT_DETACH)
        os.chdir("/")

    def _layers(self) -> dict[str, list[Path]]:
        """Folder at the top to the image's folders in its place, the topmost first."""
        found: dict[str, list[Path]] = {}
        for entry in (entry for tree in self._specification["trees"] for entry in Path(tree).iterdir()):
            found.setdefault(entry.name, []).append(entry)
        return found

    def _make(self, name: str, layers: list[Path]) -> None:
        here, there = Path("/", name), self._root / name
        if here.is_symlink():
            there.symlink_to(here.readlink())
        elif here.is_dir() or (layers and layers[0].is_dir()):
            there.mkdir()
            if layers or name in self._specification["written"]:
                self._overlay(name, [*layers, *([here] if here.is_dir() else [])], there)
            else:
                _bind(here, there)
        elif layers:
            shutil.copy2(layers[0], there, follow_symlinks=False)

    def _overlay(self, name: str, layers: list[Path], there: Path) -> None:
        self._mount_overlay(name, layers, there)
        # An overlay does not show what is mounted in the layers below it.
        for place in self._mounts:
            inside = self._root / place.lstrip("/")
            if place.startswith(f"/{name}/") and not place.startswith(str(self._scratch)) and inside.exists():
                _bind(Path(place), inside)

    def _mount_overlay(self, name: str, layers: list[Path], there: Path, kind: str = "upper") -> None:
        upper, work = self._scratch / kind / name, self._scratch / "work" / f"{kind}-{name}"
        upper.mkdir(parents=True)
        work.mkdir(parents=True)
        lower = ":".join(_ESCAPED.sub(r"\\\g<0>", str(layer)) for layer in layers)
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        options += ",userxattr" if self._specification["user_namespace"] else ""
        _mount("overlay", there, "overlay", 0, options)

    def _make_special(self) -> None:
        for name in _SPECIAL:
            (self._root / name).mkdir()
        for name in ("dev", "sys"):
            _bind(Path("/", name), self._root / name)
        shared = self._root / "dev" / "shm"
        if shared.is_dir():
            _mount("tmpfs", shared, "tmpfs", 0, "mode=1777")
        # Before the old root is gone: without a complete /proc in sight, no other one may be mounted.
        _mount("proc", self._root / "proc", "proc", 0)
        _bind(self._scratch / "tmp", self._root / "tmp")
        (self._root / "tmp").chmod(0o1777)

    def _bind_inside(self, source: Path, target: str, *, covered: bool) -> None:
        inside = self._root / target.lstrip("/")
        (inside if source.is_dir() else inside.parent).mkdir(parents=True, exist_ok=True)
        if not source.is_dir():
            inside.touch()
        self._mount_overlay(source.name, [source], inside, "covered") if covered else _bind(source, inside)


def _become(specification: dict[str, Any], ready: int) -> NoReturn:
    """Become the program; process 1, so that nothing in its namespace outlives it."""
    try:
        # With the process outside, even when that is killed.
        _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        # The process outside writes a byte when it still runs; it may have ended before prctl.
        if not os.read(ready, 1):
            os._exit(SET_UP_FAILED)
        _Root(specification).enter()
        Path(specification["directory"]).mkdir(parents=True, exist_ok=True)
        os.chdir(specification["directory"])
    except OSError as error:
        _fail(f"{specification['complaint']}: {error}", SET_UP_FAILED)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    command, environment = specification["command"], specification["environment"]
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        text = f"exec: {command[0]!r}: {error.strerror}, PATH is {environment.get('PATH', '')}"
        _fail(text, NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN)


def _fail(text: str, code: int) -> NoReturn:
    os.write(2, f"{text}\n".encode())
    os._exit(code)


def _answer(control: socket.socket) -> bool:
    """Answer one request for a connection; False when the other side has ended."""
    request = control.recv(64)
    if not request:
        return False
    with socket.socket() as connection:
        number = connection.connect_ex(("127.0.0.1", int(request)))
        handle = array.array("i", [] if number else [connection.fileno()])
        control.sendmsg([str(number).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handle)] if handle else [])
    return True


def _catches(status: int, number: int) -> bool:
    """Whether a process catches a signal; ``status`` is its open file in /proc."""
    caught = re.search(rb"^SigCgt:\s*(\w+)", os.pread(status, 65536, 0), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


def _supervise(child: int, status: int, control: socket.socket) -> int:
    """Wait for the program, pass signals on to it, and connect to it; return its exit code."""
    ended = os.pidfd_open(child)

    def pass_on(received: int, _: object) -> None:
        # Process 1 never gets a signal that it does not catch. Docker would wait for its end in vain, then kill it.
        with contextlib.suppress(ProcessLookupError):
            number = received if _catches(status, received) else signal.SIGKILL
            signal.pidfd_send_signal(ended, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    watched = select.poll()
    for handle in (ended, control):
        watched.register(handle, select.POLLIN)
    while ended not in (handles := {handle for handle, _ in watched.poll()}):
        if control.fileno() in handles and not _answer(control):
            watched.unregister(control)
            signal.pidfd_send_signal(ended, signal.SIGKILL)
    _, end = os.waitpid(child, 0)
    return os.WEXITSTATUS(end) if os.WIFEXITED(end) else SIGNALLED + os.WTERMSIG(end)


def main() -> int:
    """Set everything up, run the program, and return its exit code."""
    specification = json.loads(sys.argv[1])
    control = socket.socket(fileno=0)
    try:
        _enter_namespaces(specification)
    except OSError as error:
        print(f"{specification['complaint']}: {error}", file=sys.stderr)
        return SET_UP_FAILED
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        _become(specification, reader)
    # Now: in a moment the /proc of this process, too, is the one of the new namespace.
    status = os.open(f"/proc/{child}/status", os.O_RDONLY)
    os.write(writer, b"1")
    os.close(writer)
    return _supervise(child, status, control)


if __name__ == "__main__":
    sys.exit(main())
