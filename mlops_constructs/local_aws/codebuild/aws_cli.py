"""The AWS CLI for the commands of builds: that of this machine, or one in the user's cache folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.environments import environment, packages_key, run

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.environments import Log
    from mlops_constructs.local_aws.processes import ChildProcesses

# The AWS CLI v2 is not on PyPI.
_PACKAGE = "awscli>=1.42,<2"


def aws_cli(processes: ChildProcesses, log: Log) -> Path:
    """The program: beside this Python, on PATH, or installed now and kept for the next build.

    It is no requirement of this package: pip would put its `aws` in front of the one that a person has on PATH.

    Raises:
        ContainerError: It cannot be installed.
    """
    beside = Path(sys.executable).with_name("aws")
    found = str(beside) if beside.exists() else shutil.which("aws")
    if found is not None:
        return Path(found)
    key = f"{packages_key(Path(), ())}-awscli"
    with environment(key, processes, log, with_pip=True) as made:
        if made.is_new:
            log(f"installing {_PACKAGE} for builds: there is no AWS CLI on PATH")
            python = str(made.place / "bin" / "python")
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _PACKAGE]
            run(pip, made.place, processes, log)
    return made.folder / "bin" / "aws"
