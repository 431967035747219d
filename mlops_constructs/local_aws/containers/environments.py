"""Virtual environments made from a container's requirements, kept in the user's cache directory."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.processes import ChildProcesses

Log = Callable[[str], None]

_lock = threading.Lock()


def cache_directory() -> Path:
    """Where environments are kept: `$XDG_CACHE_HOME/local-aws`, or in `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "local-aws" / "environments"


def environment_for(context: Path, processes: ChildProcesses, log: Log) -> Path:
    """The virtual environment of a container, made when it is not in the cache yet.

    Safe when several processes want it at once: one makes it beside the final place and renames it there,
    the others wait for that. Raises `ContainerError` with pip's last lines when a package cannot be had.
    """
    target = cache_directory() / _key(context)
    with _lock, _alone(target):
        if not (target / "bin" / "python").exists():
            _make(context, target, processes, log)
    return target


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep other processes out: one that replaced an environment would take it from under a running program."""
    locks = target.parent.with_name("locks")
    for folder in (target.parent, locks):
        folder.mkdir(parents=True, exist_ok=True)
    with (locks / target.name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(context: Path, target: Path, processes: ChildProcesses, log: Log) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        wanted = _has_requirements(context)
        log("making a virtual environment from requirements.txt (kept for the next run)")
        make: list[str | Path] = [sys.executable, "-m", "venv", *_pip_option(wanted), scratch]
        _run(make, context, processes, log)
        if wanted:
            pip: list[str | Path] = [scratch / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
            _run([*pip, "install", "--quiet", "-r", "requirements.txt"], context, processes, log)
        _move_scripts(scratch, target)
        shutil.rmtree(target, ignore_errors=True)  # one whose Python has been uninstalled since
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _pip_option(wanted: bool) -> list[str]:
    return [] if wanted else ["--without-pip"]


def _run(command: Sequence[str | Path], cwd: Path, processes: ChildProcesses, log: Log) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = processes.start(command, cwd=cwd, env=environment, stderr=subprocess.STDOUT)
    lines: list[str] = []
    try:
        assert process.stdout is not None
        with process.stdout:
            for raw in process.stdout:
                lines.append(raw.decode(errors="replace").rstrip())
                log(lines[-1])
        code = process.wait()
    except BaseException:
        processes.end(process)
        raise
    if code != 0:
        tail = "\n".join(lines[-15:])
        raise ContainerError(f"the container's requirements cannot be installed (exit code {code}):\n{tail}")


def _move_scripts(scratch: Path, target: Path) -> None:
    """Scripts name their interpreter by its full path; write the final one."""
    before, after = os.fsencode(scratch.name), os.fsencode(target.name)
    for script in (scratch / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if before in content:
            script.write_bytes(content.replace(before, after))


def _has_requirements(context: Path) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in _requirements(context).splitlines())


def _requirements(context: Path) -> str:
    file = context / "requirements.txt"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _key(context: Path) -> str:
    """A short hash of everything the environment depends on, included requirement files too."""
    parts = [platform.python_implementation(), platform.python_version(), platform.platform()]
    parts.append(_requirements(context))
    for line in parts[-1].splitlines():
        words = line.replace("=", " ").split()
        if len(words) > 1 and words[0] in ("-r", "-c", "--requirement", "--constraint"):
            included = context / words[1]
            parts.append(included.read_text(encoding="utf-8") if included.is_file() else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
