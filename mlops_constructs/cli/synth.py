"""Synthesize the user's app as ``cdktf synth`` does, from the command in ``cdktf.json``."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .._jsii_node import packaged_node
from ..doctor.jsii_cache import cache_root
from ..errors import MlopsError
from ..local_aws.processes import ChildProcesses, signal_group
from ..local_aws.user_cache import hold, is_writable, user_cache
from ._unexpected import remedy_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def synthesize(app: str | None, output: Path, stack: str | None) -> Path:
    """Run the app; return the folder of its stack.

    Args:
        app: Command that synthesizes; that of ``cdktf.json`` unless given.
        output: Folder to synthesize into.
        stack: Name of the stack; needed only when the app has several.

    Raises:
        MlopsError: when there is no app, it fails, or it has several stacks and none is named.
    """
    command = app if app is not None else _command(Path("cdktf.json"))
    scratch = output / "tmp"
    scratch.mkdir()
    # An interrupted jsii leaves files in TMPDIR; here they are deleted with the output.
    environment = {**os.environ, "CDKTF_OUTDIR": str(output / "cdktf.out"), "TMPDIR": str(scratch)}
    # `python` in cdktf.json must be the Python that runs this command.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment.update(_jsii_cache())
    node = packaged_node()
    if node is not None:
        environment.setdefault("JSII_NODE", str(node))
    code, errors = _run(command, environment)
    if code != 0:
        raise MlopsError(f"`{command}` failed with exit code {code}:\n{_reason(errors)}")
    return _stack_folder(output / "cdktf.out", stack, command)


def _jsii_cache() -> dict[str, str]:
    """Let jsii keep its files in the cache of this library where it cannot write to its own, where it would hang."""
    own = cache_root()
    if own is None or is_writable(own):
        return {}
    hold("jsii")
    return {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(user_cache() / "mlops-constructs" / "jsii")}


def _run(command: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run the app; return exit code and standard error. Everything that it started ends with it."""
    processes = ChildProcesses()
    try:
        app = processes.start(
            shlex.split(command),
            cwd=Path.cwd(),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    except (OSError, ValueError, IndexError) as error:
        raise MlopsError(f"`{command}` cannot be started: {error}") from None
    try:
        _, errors = app.communicate()
    except BaseException:
        signal_group(app, signal.SIGKILL)
        app.communicate()
        raise
    finally:
        processes.close()
    return app.returncode, errors.decode(errors="replace")


def _command(config: Path) -> str:
    if not config.is_file():
        raise MlopsError(f"no cdktf.json in {Path.cwd()}: run `mlops init`, change folder, or give --app")
    try:
        command = json.loads(config.read_text(encoding="utf-8"))["app"]
    except (ValueError, KeyError, TypeError):
        raise MlopsError(f"{config.resolve()} must be JSON with the field 'app', such as 'python main.py'") from None
    return str(command)


def _reason(output: str) -> str:
    """Omit the traceback of this library's own errors and of a full disk: the message is enough."""
    # What Python ignored while it cleaned up comes after the reason, and hides it.
    lines = output.partition("\nException ignored in: ")[0].strip().splitlines()
    full = os.strerror(errno.ENOSPC)
    if any(full in line for line in lines):
        return f"{full}{remedy_of(errno.ENOSPC)}"
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].startswith("mlops_constructs.errors."):
            return "\n".join([lines[index].partition(": ")[2], *lines[index + 1 :]])
    return "\n".join(lines[-30:]) or "it wrote nothing to standard error; run it yourself to see what it prints"


def _stack_folder(output: Path, stack: str | None, command: str) -> Path:
    folders = {folder.name: folder for folder in sorted(output.glob("stacks/*")) if folder.is_dir()}
    if not folders:
        raise MlopsError(f"`{command}` synthesized no stack; does it call app.synth()?")
    if stack is None and len(folders) == 1:
        return next(iter(folders.values()))
    if stack is None or stack not in folders:
        raise MlopsError(f"give --stack, one of: {', '.join(folders)}")
    return folders[stack]
