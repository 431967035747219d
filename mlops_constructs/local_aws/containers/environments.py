"""Virtual environments created from a container's requirements.txt, kept in the user's cache directory."""

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
    """The folder of the environments: in `$XDG_CACHE_HOME/local-aws`, or in `~/.cache/local-aws`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "local-aws" / "environments"


def environment_for(context: Path, processes: ChildProcesses, log: Log) -> Path:
    """The virtual environment of a container; it is created when it is not in the cache yet.

    Several processes may request it at the same time: one creates it beside its final path and renames it,
    the others wait. Raises `ContainerError` with pip's last lines when a package cannot be installed.
    """
    target = cache_directory() / _key(context)
    with _lock, _alone(target):
        if not (target / "bin" / "python").exists():
            _make(context, target, processes, log)
    return target


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Lock out other processes: a process that replaced the environment would break a program that uses it."""
    locks = target.parent.with_name("locks")
    for folder in (target.parent, locks):
        folder.mkdir(parents=True, exist_ok=True)
    with (locks / target.name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(context: Path, target: Path, processes: ChildProcesses, log: Log) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        needs_pip = _has_requirements(context)
        log("creating a virtual environment from requirements.txt (kept for the next run)")
        create: list[str | Path] = [sys.executable, "-m", "venv", *_pip_option(needs_pip), scratch]
        _run(create, context, processes, log)
        if needs_pip:
            pip: list[str | Path] = [scratch / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
            _run([*pip, "install", "--quiet", "-r", "requirements.txt"], context, processes, log)
        _move_scripts(scratch, target)
        shutil.rmtree(target, ignore_errors=True)  # an old one whose Python was uninstalled
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _pip_option(needs_pip: bool) -> list[str]:
    return [] if needs_pip else ["--without-pip"]


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
    """Scripts contain the full path of their interpreter; replace it with the final path."""
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
    """A short hash of everything that the environment depends on, including files named by -r and -c."""
    parts = [platform.python_implementation(), platform.python_version(), platform.platform()]
    parts.append(_requirements(context))
    for line in parts[-1].splitlines():
        words = line.replace("=", " ").split()
        if len(words) > 1 and words[0] in ("-r", "-c", "--requirement", "--constraint"):
            included = context / words[1]
            parts.append(included.read_text(encoding="utf-8") if included.is_file() else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
