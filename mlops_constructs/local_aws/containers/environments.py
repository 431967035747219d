"""Virtual environments with the Python packages of images, kept in the user's cache directory."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError, context_digest
from mlops_constructs.local_aws.user_cache import cache_folder, hold, user_cache

if TYPE_CHECKING:
    from mlops_constructs.local_aws.processes import ChildProcesses

Log = Callable[[str], None]

# What an installation may read besides the file that its command names.
_REQUIREMENTS = ("*.txt", "*.in", "*.cfg", "*.toml", "setup.py")

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """A virtual environment.

    Attributes:
        folder: Where it is, or will be.
        written: Where it is now, to be installed into; None when it is complete.
    """

    folder: Path
    written: Path | None

    @property
    def is_new(self) -> bool:
        """Whether packages have to be installed into it."""
        return self.written is not None

    @property
    def is_own(self) -> bool:
        """Whether it is made here, so that its `python` is a program of its own and no link to one that is replaced."""
        python = self.place / "bin" / "python"
        return (self.place / "pyvenv.cfg").exists() and not python.is_symlink()

    @property
    def binds(self) -> dict[Path, str]:
        """Where it has to be in a sandbox that installs into it; a Python of the system is there anyway."""
        if not (self.place / "pyvenv.cfg").exists():
            return {}
        base = Path(sys.base_prefix)
        # A sandbox has a /tmp of its own.
        hidden = {base: str(base)} if base.is_relative_to("/tmp") else {}
        return {**({self.place: str(self.folder)} if self.is_new else {}), **hidden}

    @property
    def covered(self) -> dict[Path, str]:
        """Where it has to be in the sandbox of a program, which must not change it: other images share it."""
        is_there = (self.folder / "pyvenv.cfg").exists() and not self.is_new
        return {self.folder: str(self.folder)} if is_there else {}

    @property
    def place(self) -> Path:
        """Where its files are now."""
        return self.folder if self.written is None else self.written


def cache_directory() -> Path:
    """The folder of the environments: in `$XDG_CACHE_HOME/local-aws`, or in `~/.cache/local-aws`."""
    return user_cache() / "local-aws" / "environments"


def packages_key(context: Path, commands: Sequence[str]) -> str:
    """A short hash of all that an image's Python packages depend on: `pip` commands, what they read, this Python."""
    parts = [platform.python_implementation(), platform.python_version(), platform.platform(), *commands]
    words = {word.strip("'\"").split("[")[0] for command in commands for word in command.split()}
    if any(_is_local(context, word) for word in words):
        parts.append(context_digest(context))
    elif commands:
        names = {Path(word).name for word in words}
        for file in sorted(path for path in context.rglob("*") if path.is_file()):
            if file.name in names or any(file.match(pattern) for pattern in _REQUIREMENTS):
                parts.append(f"{file.relative_to(context)}\0{file.read_text(errors='replace')}")
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]


def _is_local(context: Path, word: str) -> bool:
    """Whether `pip install` of a word installs a folder or an archive of the build context."""
    if word in (".", "./") or word.endswith((".whl", ".tar.gz")):
        return True
    return word.startswith("./") and (context / word).is_dir()


@contextlib.contextmanager
def environment(key: str, processes: ChildProcesses, log: Log, *, with_pip: bool) -> Iterator[PythonEnvironment]:
    """Give the environment with this key. A new one is empty; it is kept if the block ends without an exception.

    Several processes may request it at the same time: one creates it, the others wait.
    """
    target = cache_folder("environments") / key
    with _lock, _alone(target):
        hold(key)
        for partial in target.parent.glob(f"{key}.part-*"):  # of a process that was killed
            shutil.rmtree(partial, ignore_errors=True)
        if (target / "bin" / "python").exists():
            yield PythonEnvironment(target, None)
            return
        scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
        try:
            log("creating a virtual environment (kept for the next run)")
            # Copies: what replaces the image's `python` can start this one, whatever its links would point to.
            options = [] if with_pip else ["--without-pip"]
            run([sys.executable, "-m", "venv", "--copies", *options, str(scratch)], target.parent, processes, log)
            _move_scripts(scratch, target)
            yield PythonEnvironment(target, scratch)
            _move_scripts(scratch, target)
            shutil.rmtree(target, ignore_errors=True)  # an old one whose Python was uninstalled
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Lock out other processes: a process that replaced the environment would break a program that uses it."""
    with (cache_folder("locks") / target.name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], cwd: Path, processes: ChildProcesses, log: Log) -> None:
    """Run a command without the variables of this Python. Raises `ContainerError` with its last lines."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = processes.start(command, cwd=cwd, env=variables, stderr=subprocess.STDOUT)
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
        raise ContainerError(f"{' '.join(command)[:200]} ended with exit code {code}:\n{tail}")


def _move_scripts(scratch: Path, target: Path) -> None:
    """Scripts contain the full path of their interpreter; replace it with the final path."""
    before, after = os.fsencode(scratch.name), os.fsencode(target.name)
    for script in (scratch / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if before in content:
            script.write_bytes(content.replace(before, after))
